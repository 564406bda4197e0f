/** Pushes over SSH to OpenSSH's server and stock git behind it. */

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { RemoteOptions } from "../../src/remote/open-remote.ts";
import type { PushResult } from "../../src/remote/remote.ts";
import { eventually } from "../controlplane/eventually.ts";
import { opened, patient, secretAt } from "../remote/opened.ts";
import { branch, git, makeRepository, type Place, Source, stateRef, temporaryPlace } from "../remote/repositories.ts";
import { CuttingProxy } from "../remote/cutting-proxy.ts";
import { makeKey, Sshd } from "../remote/sshd.ts";

const passphrase = "pass phrase";

let place: Place;
let source: Source;
let server: Sshd;
let key = "";
let count = 0;

beforeAll(async () => {
  place = temporaryPlace();
  source = new Source(join(place.path, "source.git"));
  server = await Sshd.start(join(place.path, "sshd"));
  key = makeKey(join(place.path, "key"), { passphrase });
  server.authorize(readFileSync(join(place.path, "key.pub"), "utf8"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

const known = (type: "ed25519" | "rsa" = "ed25519"): string => `${server.knownName} ${server.hostKey(type)}\n`;
const secret = (files: Readonly<Record<string, string>>): Partial<RemoteOptions> => ({
  credentialsDirectory: secretAt(join(place.path, `secret-${(count += 1)}`), files),
});
const usual = (): Partial<RemoteOptions> => secret({ identity: key, passphrase, known_hosts: known() });
const pushTo = (path: string, options: Partial<RemoteOptions>): Promise<PushResult> => {
  const [commit, state] = [source.commit("", { sizeBytes: 300_000 }), source.blob("state")];
  const updates = [
    { ref: branch, from: "", to: commit },
    { ref: stateRef, from: "", to: state },
  ];
  return opened(server.url(path), options).push({ updates, pack: source.pack([commit, state]) }, patient);
};
const repository = (name = `remote-${(count += 1)}.git`): string => makeRepository(join(place.path, name));
const failure = async (
  options: Partial<RemoteOptions>,
  path = "/nowhere.git",
): Promise<{ code: string; message: string }> => {
  const result: unknown = await opened(server.url(path), options)
    .refs([branch], patient)
    .catch((error: unknown) => error);
  if (!(result instanceof Error)) throw new Error("it should fail");
  return { code: "code" in result ? String(result.code) : "", message: result.message };
};

test("a push arrives, by a key with a passphrase, and is read back", async () => {
  const path = repository();
  expect(await pushTo(path, usual())).toEqual({ kind: "pushed" });
  expect(git(path, ["fsck", "--strict"])).toBe("");
  const { refs } = await opened(server.url(path), usual()).refs(["refs/"], patient);
  expect([...refs.keys()]).toEqual([branch, stateRef]);
});

test("a path is what it is to the shell on the other side", async () => {
  const canary = join(place.path, "canary");
  const path = repository(`it's $(touch canary) & "quoted" !1 \`x\`.git`);
  expect(await pushTo(path, usual())).toEqual({ kind: "pushed" });
  expect(existsSync(canary)).toBe(false);
});

test("a hook that declines is told, and the other ref does not move", async () => {
  const path = repository();
  writeFileSync(
    join(path, "hooks", "update"),
    '#!/bin/sh\ncase $1 in refs/heads/*) echo "main is protected" >&2; exit 1;; esac\n',
    {
      mode: 0o755,
    },
  );
  const result = await pushTo(path, usual());
  expect(result).toMatchObject({ kind: "rejected", error: { code: "remote-declined" } });
  expect(result.kind === "rejected" ? result.error.message : "").toContain("main is protected");
  expect(git(path, ["for-each-ref"])).toBe("");
});

test("no repository there", async () => {
  expect(await failure(usual())).toMatchObject({ code: "remote-not-found" });
});

describe("the host", () => {
  test("is known by a hashed name", async () => {
    const file = join(place.path, "hashed");
    writeFileSync(file, known());
    execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
    const hashed = readFileSync(file, "utf8");
    expect(hashed).toMatch(/^\|1\|/);
    expect(await pushTo(repository(), secret({ identity: key, passphrase, known_hosts: hashed }))).toEqual({
      kind: "pushed",
    });
  });

  test("shows the key that is known, of the two that it has", async () => {
    const options = secret({ identity: key, passphrase, known_hosts: known("rsa") });
    expect(await pushTo(repository(), options)).toEqual({ kind: "pushed" });
  });

  test.each([
    { name: "nobody knows", text: () => `example.com ${server.hostKey("ed25519")}\n`, says: "names none for it" },
    {
      name: "is known on another port",
      text: () => `127.0.0.1 ${server.hostKey("ed25519")}\n`,
      says: "names none for it",
    },
    {
      name: "has another key",
      text: () => `${server.knownName} ${readFileSync(join(place.path, "key.pub"), "utf8")}`,
      says: "somebody may be in between",
    },
    {
      name: "has a revoked key",
      text: () => `@revoked * ${server.hostKey("ed25519")}\n${known()}`,
      says: "is revoked",
    },
    {
      name: "is known by an authority",
      text: () => `@cert-authority * ${server.hostKey("rsa")}\n`,
      says: "@cert-authority",
    },
  ])("that $name is not spoken to", async ({ text, says }) => {
    const before = server.log.length;
    const { code, message } = await failure(secret({ identity: key, passphrase, known_hosts: text() }));
    expect(code).toBe("remote-untrusted");
    expect(message).toContain(says);
    expect(message).toContain(`ssh-ed25519 ${server.fingerprint("ed25519")}`);
    expect(server.log.slice(before)).not.toMatch(/publickey/i);
  });

  test("must be known", async () => {
    const { code, message } = await failure(secret({ identity: key, passphrase }));
    expect(code).toBe("remote-credentials");
    expect(message).toContain("known_hosts");
  });
});

describe("a key", () => {
  test.each([
    { type: "rsa", format: "PEM" },
    { type: "ecdsa", format: "PEM" },
    { type: "ecdsa", format: "RFC4716" },
  ])("of the type $type in the format $format opens", async ({ type, format }) => {
    const path = join(place.path, `key-${type}-${format}`);
    const text = makeKey(path, { type, format });
    server.authorize(readFileSync(`${path}.pub`, "utf8"));
    const options = secret({ "ssh-privatekey": text, known_hosts: known() });
    expect(await pushTo(repository(), options)).toEqual({ kind: "pushed" });
  });

  test("that nobody authorized does not", async () => {
    const options = secret({ identity: makeKey(join(place.path, "stranger")), known_hosts: known() });
    expect(await failure(options)).toMatchObject({ code: "remote-unauthorized" });
  });

  test.each(["", "wrong"])("with the passphrase %j is not shown", async (given) => {
    const files = { identity: key, known_hosts: known(), ...(given === "" ? {} : { passphrase: given }) };
    const { code, message } = await failure(secret(files));
    expect(code).toBe("remote-credentials");
    expect(message).toMatch(/private key of the Secret cannot be used: .*passphrase/i);
  });

  test("is asked for", async () => {
    const { code, message } = await failure(secret({ known_hosts: known() }));
    expect(code).toBe("remote-credentials");
    expect(message).toContain("SSH_AUTH_SOCK");
  });

  test("of an agent opens", async () => {
    const socket = join(place.path, "agent.sock");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    try {
      await eventually(() => (existsSync(socket) ? true : undefined));
      const path = join(place.path, "agent-key");
      makeKey(path);
      server.authorize(readFileSync(`${path}.pub`, "utf8"));
      execFileSync("ssh-add", ["-q", path], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "ignore" });
      const options = { ...secret({ known_hosts: known() }), environment: { SSH_AUTH_SOCK: socket } };
      expect(await pushTo(repository(), options)).toEqual({ kind: "pushed" });
    } finally {
      agent.kill();
      await once(agent, "exit");
    }
  });
});

test("a shell that greets is no Git server", async () => {
  await using greeting = await Sshd.start(join(place.path, "greeting"), ['ForceCommand echo "Welcome to the machine"']);
  greeting.authorize(readFileSync(join(place.path, "key.pub"), "utf8"));
  const files = { identity: key, passphrase, known_hosts: `${greeting.knownName} ${greeting.hostKey("ed25519")}\n` };
  const remote = opened(greeting.url("/x.git"), secret(files));
  await expect(remote.refs([branch], patient)).rejects.toMatchObject({ code: "remote-malformed" });
});

test("a history is fetched as deep as asked, and then what came on top of it", async () => {
  const path = repository();
  const local = repository();
  const commits: string[] = [];
  for (let index = 0; index < 6; index++) commits.push(source.commit(commits.at(-1) ?? "", { sizeBytes: 50_000 }));
  const remote = opened(server.url(path), usual());
  const fetched = async (
    tip: string,
    options: { readonly depth: number | null; readonly haves: readonly string[] },
  ): Promise<void> => {
    git(path, ["fetch", "-q", source.path, `+${tip}:${branch}`]);
    const { refs } = await remote.fetch(
      { gitDirectory: local, refs: [branch], owner: "test", sync: true, ...options },
      patient,
    );
    expect(refs).toEqual(new Map([[branch, tip]]));
    git(local, ["update-ref", branch, tip]);
    expect(git(local, ["fsck", "--strict"])).toBe("");
  };
  await fetched(commits[3] ?? "", { depth: 2, haves: [] });
  expect(git(local, ["rev-list", branch]).split("\n")).toEqual(commits.slice(2, 4).toReversed());
  await fetched(commits[5] ?? "", { depth: null, haves: [commits[3] ?? ""] });
  expect(git(local, ["rev-list", branch]).split("\n")).toEqual(commits.slice(2).toReversed());
});

test("a large pack goes through, chunk by chunk", async () => {
  const path = repository();
  const commit = source.commit("", { files: 8, sizeBytes: 1_000_000 });
  const pack = source.pack([commit], [], 256 << 10);
  const updates = [{ ref: branch, from: "", to: commit }];
  // More than a window of the protocol.
  expect(pack.sizeBytes).toBeGreaterThan(2 << 20);
  expect(await opened(server.url(path), usual()).push({ updates, pack }, patient)).toEqual({ kind: "pushed" });
  expect(git(path, ["fsck", "--strict"])).toBe("");
});

test("a connection that is cut anywhere moves nothing, and the same push goes on", async () => {
  const path = repository();
  await using proxy = await CuttingProxy.start(server.port);
  const known_hosts = `[127.0.0.1]:${proxy.port} ${server.hostKey("ed25519")}\n`;
  const remote = opened(
    server.url(path).replace(`:${server.port}/`, `:${proxy.port}/`),
    secret({ identity: key, passphrase, known_hosts }),
  );
  const commit = source.commit("", { sizeBytes: 60_000 });
  const push = { updates: [{ ref: branch, from: "", to: commit }], pack: source.pack([commit]) };
  const codes = new Set<unknown>();
  for (const up of [0, 30, 800, 1500, 2000, 2500, 3000, 3500, 4000, 10_000, 20_000, push.pack.sizeBytes]) {
    proxy.cuts.push({ up });
    const result = await remote.push(push, patient).catch((error: unknown) => ({ error }));
    codes.add(
      "error" in result && result.error instanceof Error && "code" in result.error ? result.error.code : result,
    );
    expect(git(path, ["for-each-ref"])).toBe("");
  }
  expect(codes).toEqual(new Set(["remote-cut", "remote-unreachable"]));
  expect(await remote.push(push, patient)).toEqual({ kind: "pushed" });
});
