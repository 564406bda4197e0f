/** Keys of an installation in their Secret, by an API server that is played, and processes that begin with and without a data directory. */

import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

import type { ApiServer } from "../../actors/ports.ts";
import { InstallationKeys } from "../../src/composition/installation-keys.ts";
import { openSecretKeys } from "../../src/composition/secret-options.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { createSimulatedClock, settled } from "../../src/simulation/simulated-clock.ts";
import type { SecretOptions } from "../../src/sanitize/secrets.ts";
import { objectOf, textMembersOf } from "../../src/webhook/json-value.ts";
import { createRecorder } from "../admission/recorder.ts";
import { FakeLog } from "../fakes/branch-world.ts";
import { FakeCluster } from "../webhook/fake-cluster.ts";

const account = { name: "kubescribe", namespace: "kubescribe-system" };
const path = "/api/v1/namespaces/kubescribe-system/secrets/kubescribe-keys";
const omit = { config: { secrets: { policy: "omit" } } } as const;
const recipient = await identityToRecipient(await generateX25519Identity());
const encrypt = { config: { secrets: { policy: "encrypt", recipients: [recipient] } } } as const;
const signal = new AbortController().signal;
const empty = { kind: "Secret", type: "Opaque", metadata: { name: "kubescribe-keys", labels: { kept: "yes" } } };

class World {
  readonly cluster = new FakeCluster();
  readonly clock = createSimulatedClock(1_700_000_000_000);
  #keys = 0;

  constructor() {
    this.cluster.put(path, empty);
  }

  /** As texts. */
  get secret(): Readonly<Record<string, string>> {
    const data = Object.entries(textMembersOf(objectOf(this.cluster.get(path)?.["data"])));
    return Object.fromEntries(data.map(([name, text]) => [name, Buffer.from(text, "base64").toString()]));
  }

  set secret(texts: Readonly<Record<string, string>>) {
    const data = Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString("base64")]);
    this.cluster.edit(path, (document) => ({ ...document, data: Object.fromEntries(data) as object }));
  }

  async disk(texts: Readonly<Record<string, string>> = {}): Promise<MemoryFileSystem> {
    const files = new MemoryFileSystem(this.clock);
    await files.makeDirectory("/data");
    for (const [name, text] of Object.entries(texts)) {
      await using file = await files.open(`/data/${name}`, "create");
      await file.write(Buffer.from(text));
    }
    return files;
  }

  async process(files?: MemoryFileSystem, api: ApiServer = this.cluster): Promise<Process> {
    return new Process(this, files ?? (await this.disk()), api, () => Buffer.alloc(32, (this.#keys += 1)));
  }

  async pass(ms: number): Promise<void> {
    await settled();
    await this.clock.run(ms);
    await settled();
  }
}

class Process {
  readonly recorder = createRecorder();
  readonly keys: InstallationKeys;
  readonly office = { holds: true, follow: () => void (this.begun += 1) };
  /** How often what records was to begin again. */
  begun = 0;
  readonly #world: World;
  readonly #files: MemoryFileSystem;
  readonly #newKey: () => Uint8Array;

  constructor(world: World, files: MemoryFileSystem, api: ApiServer, newKey: () => Uint8Array) {
    this.#world = world;
    this.#files = files;
    this.#newKey = newKey;
    this.keys = new InstallationKeys({
      api,
      clock: world.clock,
      log: this.recorder.log,
      files,
      dataDir: "/data",
      account,
    });
    this.keys.office = this.office;
  }

  async begin(...targets: readonly (typeof omit | typeof encrypt)[]): Promise<readonly SecretOptions[]> {
    const texts = await this.keys.begin(signal);
    const { clock } = this.#world;
    const place = { dataDir: "/data", installationKeyFile: null };
    const newKey = this.#newKey;
    const optionsOf = await openSecretKeys({ files: this.#files, clock, log: this.recorder.log, place, newKey, texts });
    return await Promise.all(targets.map((target) => optionsOf(target, "cluster")));
  }

  async file(name: string): Promise<string> {
    return Buffer.from(await this.#files.readFile(`/data/${name}`)).toString();
  }
}

const keyOf = (byte: number): string => `${Buffer.alloc(32, byte).toString("hex")}\n`;
const sopsIn = (texts: Readonly<Record<string, string>>): string =>
  Object.keys(texts).find((name) => name.startsWith("sops-")) ?? "";

describe("the keys of an installation", () => {
  test("are made once: a pod that begins with nothing goes on with them, data keys included", async () => {
    const world = new World();
    const made = await (await world.process()).begin(omit, encrypt);
    expect(world.secret).toMatchObject({
      "installation.key": keyOf(1),
      [sopsIn(world.secret)]: expect.any(String) as string,
    });
    expect(world.cluster.get(path)).toMatchObject({ metadata: { labels: { kept: "yes" } }, type: "Opaque" });
    const writes = world.cluster.count("PUT", path);
    const next = await world.process();
    expect(await next.begin(omit, encrypt)).toEqual(made);
    expect(await next.file("installation.key")).toBe(keyOf(1));
    expect(await next.file(sopsIn(world.secret))).toBe(world.secret[sopsIn(world.secret)]);
    expect(world.cluster.count("PUT", path)).toBe(writes);
    expect(world.cluster.requests.every((request) => /^(GET|PUT) /.test(request))).toBe(true);
    expect(next.keys.trouble).toBeNull();
  });

  test("of a data directory are brought in where the Secret is empty", async () => {
    const world = new World();
    const files = await world.disk({ "installation.key": keyOf(9) });
    const alone = await openSecretKeys({
      files,
      clock: world.clock,
      log: new FakeLog(),
      place: { dataDir: "/data", installationKeyFile: null },
      newKey: () => Buffer.alloc(32, 8),
    });
    const before = await Promise.all([omit, encrypt].map((target) => alone(target, "cluster")));
    expect(await (await world.process(files)).begin(omit, encrypt)).toEqual(before);
    expect(world.secret["installation.key"]).toBe(keyOf(9));
    expect(await (await world.process()).begin(omit, encrypt)).toEqual(before);
  });

  test("of the Secret go before those of a data directory, a damaged one included", async () => {
    for (const own of [keyOf(9), "hunter2"]) {
      const world = new World();
      world.secret = { "installation.key": keyOf(5) };
      const process = await world.process(await world.disk({ "installation.key": own }));
      await process.begin(omit);
      expect(await process.file("installation.key")).toBe(keyOf(5));
      expect(world.secret).toEqual({ "installation.key": keyOf(5) });
    }
  });

  test("that are damaged on disk are not brought in", async () => {
    const world = new World();
    const process = await world.process(await world.disk({ "installation.key": "hunter2" }));
    await expect(process.begin(omit)).rejects.toThrow("/data/installation.key: expected 64 hex digits, found 7 other");
    expect(world.secret).toEqual({});
  });

  test("are the same for two that fill it at once, and for two targets that want one data key at once", async () => {
    const world = new World();
    const processes = await Promise.all([world.process(), world.process()]);
    const [one = [], two] = await Promise.all(processes.map((each) => each.begin(omit, encrypt, encrypt)));
    expect(one).toEqual(two);
    expect(one[1]).toEqual(one[2]);
    expect(await (await world.process()).begin(omit, encrypt, encrypt)).toEqual(one);
    for (const each of processes) expect(await each.file("installation.key")).toBe(world.secret["installation.key"]);
  });

  test("are written by the holder of the Lease alone", async () => {
    const world = new World();
    const process = await world.process();
    process.office.holds = false;
    await expect(process.begin(omit)).rejects.toMatchObject({ code: "lease-lost", retry: "backoff" });
    await world.pass(120_000);
    expect(world.cluster.count("PUT", path)).toBe(0);
    expect(world.secret).toEqual({});
  });

  test.each([
    ["installation.key", { "installation.key": "hunter2" }],
    ["installation.key", { [`sops-${"0".repeat(32)}.json`]: goodSops() }],
    [`sops-${"0".repeat(32)}.json`, { "installation.key": keyOf(3), [`sops-${"0".repeat(32)}.json`]: "hunter2" }],
  ])("are neither used nor overwritten where %s is damaged, and nothing of them is told", async (name, damaged) => {
    const world = new World();
    world.secret = damaged;
    const process = await world.process();
    await process.begin(omit, encrypt);
    expect(await process.file("installation.key")).toBe(keyOf(1));
    expect(process.keys.trouble).toMatchObject({
      reason: "Unusable",
      message: expect.stringContaining(`Secret kubescribe-system/kubescribe-keys, ${name}: expected `) as string,
    });
    await world.pass(120_000);
    expect(world.secret).toEqual(damaged);
    const told = JSON.stringify([process.recorder.lines, process.keys.trouble]);
    expect(told).toContain(name);
    expect(told).not.toMatch(/hunter2|03030303|01010101/);
    world.secret = {};
    await world.pass(10_000);
    expect(process.keys.trouble).toBeNull();
    expect(world.secret["installation.key"]).toBe(keyOf(1));
  });

  test.each([
    ["Forbidden", (world: World) => (world.cluster.refuse = () => 403)],
    ["Missing", (world: World) => world.cluster.remove(path)],
  ])("are the data directory's meanwhile: %s", async (reason, take) => {
    const world = new World();
    take(world);
    const process = await world.process(await world.disk({ "installation.key": keyOf(7) }));
    const used = await process.begin(omit, encrypt);
    const { trouble } = process.keys;
    expect(trouble?.reason).toBe(reason);
    expect(process.recorder.lines.join("\n")).not.toContain("apiVersion");
    // What is to be added is added, and the keys are brought in.
    const yaml = (trouble?.message ?? "").split("\n").slice(1).join("\n");
    expect(parseAllDocuments(yaml).map((document) => document.toJS() as unknown)).toMatchObject([
      { kind: "Secret", metadata: { name: "kubescribe-keys", namespace: "kubescribe-system" } },
      { kind: "Role", rules: [{ resourceNames: ["kubescribe-keys"], verbs: ["get", "update"] }] },
      { kind: "RoleBinding", subjects: [{ name: "kubescribe", namespace: "kubescribe-system" }] },
    ]);
    world.cluster.refuse = () => null;
    if (reason === "Missing") world.cluster.put(path, empty);
    await world.pass(10_000);
    expect(process.keys.trouble).toBeNull();
    expect(process.begun).toBe(0);
    expect(await (await world.process()).begin(omit, encrypt)).toEqual(used);
  });

  test("are asked for a while before others are made, and for long where no key was made yet", async () => {
    const world = new World();
    world.secret = { "installation.key": keyOf(5) };
    world.cluster.refuse = () => 403;
    const process = await world.process();
    await expect(process.begin(omit)).rejects.toMatchObject({ code: "installation-keys-unread", retry: "backoff" });
    world.cluster.refuse = () => new Error("ECONNREFUSED");
    await world.pass(10_000);
    await expect(process.begin(omit)).rejects.toMatchObject({ code: "installation-keys-unread", retry: "backoff" });
    await world.pass(6_000);
    await process.begin(omit);
    expect(await process.file("installation.key")).toBe(keyOf(1));
    expect(process.keys.trouble?.reason).toBe("Unreachable");
    // It can be read again, and has another key: that one counts.
    world.cluster.refuse = () => null;
    await world.pass(10_000);
    expect(process.begun).toBe(1);
    await process.begin(omit);
    expect(await process.file("installation.key")).toBe(keyOf(5));
    expect(world.secret).toEqual({ "installation.key": keyOf(5) });
    await world.pass(120_000);
    expect(process.begun).toBe(1);
  });

  test("do not hold up what records where they cannot be written", async () => {
    const world = new World();
    world.cluster.refuse = ({ method }) => (method === "PUT" ? 422 : null);
    const process = await world.process();
    const used = await process.begin(omit, encrypt);
    expect(process.keys.trouble?.reason).toBe("Unreachable");
    world.cluster.refuse = () => null;
    await world.pass(10_000);
    expect(process.keys.trouble).toBeNull();
    expect(await (await world.process()).begin(omit, encrypt)).toEqual(used);
  });

  test("stand in the Secret again when it was emptied", async () => {
    const world = new World();
    const process = await world.process();
    await process.begin(omit, encrypt);
    const before = world.secret;
    world.secret = {};
    await world.pass(16_000);
    expect(world.secret).toEqual(before);
    expect(process.begun).toBe(0);
  });

  test("are others when a person puts another key in: what records begins again", async () => {
    const world = new World();
    const process = await world.process();
    const [before] = await process.begin(omit);
    world.secret = { "installation.key": keyOf(6), note: "rotated" };
    await world.pass(16_000);
    expect(process.begun).toBe(1);
    expect((await process.begin(omit))[0]).not.toEqual(before);
    expect(world.secret).toEqual({ "installation.key": keyOf(6), note: "rotated" });
  });
});

function goodSops(): string {
  const enc = "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----\n";
  return JSON.stringify({ createdAt: "2026-01-01T00:00:00Z", recipients: [{ recipient: "age1x", enc }] });
}
