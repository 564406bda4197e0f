import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { createBlockingFiles } from "../../src/composition/node-blocking-files.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { LookedAtKeys } from "../../src/composition/looked-at-keys.ts";
import { lookedAtSecrets, openSecretKeys } from "../../src/composition/secret-options.ts";
import { installationKeyName, installationKeyText } from "../../src/keys/installation-key.ts";
import { KeyDirectory, type KeyFiles } from "../../src/keys/key-directory.ts";
import { readInstallationKey } from "../../src/keys/read-keys.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { FakeLog } from "../fakes/branch-world.ts";
import { configmaps } from "../git/fixtures.ts";

const key = Buffer.alloc(32, 7);
const place = { installationKeyFile: null, dataDir: "/data" };
const secrets = { ...configmaps, resource: "secrets", kind: "Secret" };
const clock = createSimulatedClock();
const newKey = (): Uint8Array => randomBytes(32);
const omit = { config: { secrets: { policy: "omit" } } } as const;

async function filesWith(text: string | null): Promise<MemoryFileSystem> {
  const files = new MemoryFileSystem(createSimulatedClock());
  await files.makeDirectory("/data");
  await files.syncDirectory("/");
  if (text === null) return files;
  await using file = await files.open("/data/installation.key", "create");
  await file.write(Buffer.from(text));
  return files;
}

function writeKey(files: KeyFiles, directory: string): Promise<void> {
  return new KeyDirectory(files, directory).write(installationKeyName, installationKeyText(key));
}

describe("the installation key", () => {
  test("is made once, and there after a power cut", async () => {
    const files = await filesWith(null);
    const log = new FakeLog();
    const made = await (await openSecretKeys({ files, clock, log, place, newKey }))(omit, "cluster");
    expect(made).toEqual({ policy: "omit", fingerprintKey: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) as string });
    files.restart("power");
    const again = await openSecretKeys({ files, clock, log, place, newKey });
    expect(await again(omit, "cluster")).toEqual(made);
    expect(await again(omit, "another cluster")).not.toEqual(made);
  });

  test("is whole or not there, whatever call the machine stops at", async () => {
    for (let last = 0; ; last += 1) {
      const files = await filesWith(null);
      files.inject({ at: (call) => (call === last ? "torn" : null) });
      const done = await writeKey(files, "/data").then(
        () => true,
        () => false,
      );
      files.restart("power");
      const found = await readInstallationKey(files, place);
      if (done) {
        expect(found).toEqual(key);
        expect(last).toBeGreaterThan(3);
        return;
      }
      expect([null, key.toString("hex")]).toContain(found === null ? null : Buffer.from(found).toString("hex"));
    }
  });

  test.each([createNodeFileSystem, createBlockingFiles])("can be read by nobody else (%o)", async (createFiles) => {
    const directory = mkdtempSync(join(tmpdir(), "kubescribe-key-"));
    try {
      await writeKey(createFiles(), directory);
      expect(statSync(join(directory, "installation.key")).mode & 0o777).toBe(0o600);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.each(["", "00", `${"0".repeat(63)}g`, `${"0".repeat(64)}\n\n`, "hunter2"])(
    "that is none is refused, and not quoted: %j",
    async (text) => {
      const problem = readInstallationKey(await filesWith(text), place);
      await expect(problem).rejects.toMatchObject({ code: "configuration-invalid" });
      await expect(problem).rejects.toThrow("/data/installation.key: expected 64 hex digits, found");
      await expect(problem).rejects.not.toThrow("hunter2");
    },
  );

  test("that a file should hold is not made", async () => {
    const files = await filesWith(null);
    const opened = openSecretKeys({
      files,
      clock,
      log: new FakeLog(),
      place: { ...place, installationKeyFile: "/key" },
      newKey,
    });
    await expect(opened).rejects.toThrow("/key: expected the installation key, found no such file");
  });

  test("is read for a look where there are Secrets, never made, and not asked for elsewhere", async () => {
    const files = await filesWith(null);
    const readClusterUid = (): Promise<string> => Promise.resolve("cluster");
    const secretsOf = lookedAtSecrets({ keys: new LookedAtKeys({ files, place, installation: null }), readClusterUid });
    expect(await secretsOf(omit, configmaps)).toEqual({ policy: "keep" });
    expect(await secretsOf({ config: { secrets: { policy: "keep" } } }, secrets)).toEqual({ policy: "keep" });
    await expect(secretsOf(omit, secrets)).rejects.toThrow("expected the installation key");
    const committing = await openSecretKeys({ files, clock, log: new FakeLog(), place, newKey });
    expect(await secretsOf(omit, secrets)).toEqual(await committing(omit, "cluster"));
  });
});
