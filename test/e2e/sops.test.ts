/** Encrypted Secrets of a real API server, read by the real sops. */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";

import { manifestOf } from "../../src/sanitize/manifest.ts";
import { toolPath } from "../controlplane/binaries.ts";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { git } from "./history.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";

const collection = "/api/v1/namespaces/default/secrets";

describe("secrets: encrypt", () => {
  let plane: ControlPlane;
  let kubescribe: Kubescribe;
  let identity = "";
  let sops = "";

  beforeAll(async () => {
    sops = toolPath("sops");
    identity = await generateX25519Identity();
    const recipients = [await identityToRecipient(identity)];
    plane = await startControlPlane({ numberedUsers: 0 });
    kubescribe = await startKubescribe(plane, {
      types: [{ apiGroups: [""], resources: ["secrets", "configmaps"] }],
      repositorySpec: { secrets: { policy: "encrypt", recipients } },
    });
    await kubescribe.installWebhook();
  });

  afterAll(async () => {
    await kubescribe[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  const send = async (method: string, path: string, body: object): Promise<void> => {
    const answer = await plane.request("alice", method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  };
  const fileOf = (name: string): Promise<string> =>
    git(kubescribe.repository, ["show", `main:cluster/default/core/secrets/${name}.yaml`]);
  const decrypted = async (name: string): Promise<unknown> => {
    const path = join(plane.directory, `${name}.yaml`);
    writeFileSync(path, await fileOf(name));
    const args = ["decrypt", "--output-type", "json", path];
    const env = { PATH: process.env["PATH"], HOME: plane.directory, SOPS_AGE_KEY: identity };
    return JSON.parse(execFileSync(sops, args, { env, encoding: "utf8" }));
  };
  /** What `secrets: keep` would have written. */
  const plain = async (name: string): Promise<unknown> => {
    const { body } = await plane.request("admin", "GET", `${collection}/${name}`);
    return parse(
      Buffer.from(manifestOf(body, { group: "", kind: "Secret", secrets: { policy: "keep" } }).yaml).toString(),
    );
  };
  /** Lines that the newest commit of a Secret takes and brings, without what is encrypted in them. */
  const changedLines = async (): Promise<readonly string[]> => {
    const diff = await git(kubescribe.repository, ["show", "--format=", "--unified=0", "main"]);
    const lines = diff.split("\n").filter((line) => /^[-+](?![-+]{2} )/.test(line));
    return lines.map((line) => line.replace(/: ENC\[.*\]$/, ": ENC"));
  };

  test("what sops decrypts is what the API server has", async () => {
    const values = {
      password: "hunter2",
      lines: "one\ntwo\n",
      number: "1.0",
      empty: "",
      "a.b_c-d": "ü€\u2028",
      long: "x".repeat(100_000),
    };
    await send("POST", collection, {
      metadata: {
        name: "token",
        labels: { app: "shop" },
        annotations: {
          data: "a name that sops takes for data",
          "example.com/at": "2026-01-01T00:00:00Z",
          "example.com/1": "1e3",
        },
      },
      stringData: values,
      data: { binary: Buffer.from([0, 255, 254, 10]).toString("base64") },
    });
    await kubescribe.waitForCommits("secrets", "default/token", 1);
    expect(await fileOf("token")).not.toMatch(/hunter2|aHVudGVyMg|a name that sops/);
    expect(await decrypted("token")).toEqual(await plain("token"));
    await send("POST", collection, { metadata: { name: "fixed" }, immutable: true, stringData: { a: "b" } });
    await send("POST", collection, { metadata: { name: "none" } });
    for (const name of ["fixed", "none"]) {
      await kubescribe.waitForCommits("secrets", `default/${name}`, 1);
      expect(await decrypted(name)).toEqual(await plain(name));
    }
  });

  test("one value that changes changes its line and the MAC", async () => {
    await send("PATCH", `${collection}/token`, { stringData: { password: "hunter3" } });
    await kubescribe.waitForCommits("secrets", "default/token", 2);
    expect(await changedLines()).toEqual(["-  password: ENC", "+  password: ENC", "-  mac: ENC", "+  mac: ENC"]);
    expect(await decrypted("token")).toEqual(await plain("token"));
  });

  test("a process that begins anew writes the same bytes", async () => {
    await kubescribe.restart();
    await kubescribe.assertSound();
    await send("PATCH", `${collection}/token`, { metadata: { labels: { app: "till" } } });
    await kubescribe.waitForCommits("secrets", "default/token", 3);
    expect(await changedLines()).toEqual(["-    app: shop", "+    app: till", "-  mac: ENC", "+  mac: ENC"]);
    expect(await decrypted("token")).toEqual(await plain("token"));
  });

  test("the file as it stands is no Secret to the API server", async () => {
    const path = join(plane.directory, "apply.yaml");
    writeFileSync(path, await fileOf("token"));
    const applied = await plane.kubectl("alice", ["apply", "--server-side", "--force-conflicts", "-f", path]);
    expect([applied.code, applied.stderr]).toEqual([1, expect.stringContaining(".sops: field not declared in schema")]);
    const replaced = await plane.kubectl("alice", ["replace", "--validate=false", "-f", path]);
    expect([replaced.code, replaced.stderr]).toEqual([1, expect.stringContaining("illegal base64 data")]);
  });

  test("a file with a value of another one is refused by sops", async () => {
    const [token, fixed] = await Promise.all([fileOf("token"), fileOf("fixed")]);
    const stolen = /^ {2}password: (.*)$/m.exec(token)?.[1] ?? "";
    const path = join(plane.directory, "moved.yaml");
    writeFileSync(path, fixed.replace(/^ {2}a: .*$/m, `  a: ${stolen}`));
    const env = { PATH: process.env["PATH"], HOME: plane.directory, SOPS_AGE_KEY: identity };
    expect(() => execFileSync(sops, ["decrypt", path], { env, stdio: "pipe" })).toThrow(/Could not decrypt value/);
  });
});
