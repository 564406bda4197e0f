/** Signed commits, as stock git verifies them. It asks ssh-keygen (openssh-client), which the tests need on the PATH. */

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";

import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { createProcessTable } from "../../src/composition/node-process-table.ts";
import { lockedPool } from "../../src/composition/target-lock.ts";
import { readSigningKey } from "../../src/keys/signing-key.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { createPiscinaCommitPool } from "../../src/git/piscina-pool.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import {
  allSelections,
  changed,
  cursorOf,
  configmaps,
  flush,
  itemOf,
  plainManifest,
  targetAt,
  temporaryPlace,
  verdictBy,
} from "./fixtures.ts";

beforeAll(() => {
  if (spawnSync("ssh-keygen", ["-?"]).error !== undefined) {
    throw new Error("ssh-keygen is not on the PATH, and git verifies SSH signatures with it: install openssh-client.");
  }
});

const committer = "kubescribe@kubescribe.invalid";

interface Signing {
  readonly keygen: readonly string[];
  readonly passphrase?: string;
  /** As ssh-keygen calls it. */
  readonly name: string;
}

const signings: readonly (readonly [string, Signing])[] = [
  ["Ed25519", { keygen: ["-t", "ed25519"], name: "ED25519" }],
  ["Ed25519 with a passphrase", { keygen: ["-t", "ed25519"], passphrase: "open sesame", name: "ED25519" }],
  ["ECDSA P-256", { keygen: ["-t", "ecdsa", "-b", "256"], name: "ECDSA" }],
  ["ECDSA P-521", { keygen: ["-t", "ecdsa", "-b", "521"], name: "ECDSA" }],
  ["RSA", { keygen: ["-t", "rsa", "-b", "2048"], name: "RSA" }],
  ["RSA in PEM", { keygen: ["-t", "rsa", "-b", "2048", "-m", "PEM"], name: "RSA" }],
];

describe("signed commits", () => {
  test.each(signings)("are good to git verify-commit (%s)", async (_, { keygen, passphrase = "", name }) => {
    using place = temporaryPlace();
    const sshKeyFile = join(dirname(place.path), "key");
    const passphraseFile = passphrase === "" ? null : join(dirname(place.path), "passphrase");
    execFileSync("ssh-keygen", ["-q", ...keygen, "-N", passphrase, "-f", sshKeyFile]);
    if (passphraseFile !== null) writeFileSync(passphraseFile, `${passphrase}\n`);
    const signing = await readSigningKey(createNodeFileSystem(), { sshKeyFile, passphraseFile });
    await using pool = createInlineCommitPool({
      fs: createNodeFileSystem(),
      clock: createSimulatedClock(),
      manifestOf: plainManifest,
      selectionsOf: () => allSelections,
      targets: [targetAt(place.path, { signing })],
    });
    await flush(pool, [
      { kind: "snapshot", type: configmaps, cursor: cursorOf(1), items: [itemOf({ version: 1, name: "first" })] },
    ]);
    // ECDSA's numbers are now and then shorter than the rest: so many commits meet such ones.
    for (let version = 2; version < 42; version += 1) {
      await flush(pool, [changed({ version, verdict: verdictBy("Zoë 李\n\nauthor: x") })]);
    }
    expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
    const allowed = join(dirname(place.path), "allowed");
    const [kind = "", publicKey = ""] = readFileSync(`${sshKeyFile}.pub`, "utf8").split(" ");
    writeFileSync(allowed, `${committer} namespaces="git" ${kind} ${publicKey}\n`);
    const trusting = ["-c", `gpg.ssh.allowedSignersFile=${allowed}`];
    const commits = place.git(...trusting, "log", "--format=%G? %GS %GK %s", "main").split("\n");
    expect(commits).toHaveLength(41);
    expect(new Set(commits.map((line) => line.split(" ").slice(0, 2).join(" ")))).toEqual(new Set([`G ${committer}`]));
    const verified = spawnSync("git", [...trusting, "verify-commit", "main"], { cwd: place.path, encoding: "utf8" });
    expect(verified.stderr).toMatch(new RegExp(`^Good "git" signature for ${committer} with ${name} key SHA256:`));
    expect(verified.status).toBe(0);
    expect(place.git(...trusting, "log", "-1", "--show-signature", "main")).toContain(`Good "git" signature`);
    // Another history, with the signature of this one.
    const forged = place.git("cat-file", "commit", "main").replace("Changed-By: Zo", "Changed-By: Bo");
    const id = execFileSync("git", ["hash-object", "-t", "commit", "-w", "--stdin"], {
      cwd: place.path,
      input: `${forged}\n`,
      encoding: "utf8",
    }).trim();
    expect(place.git(...trusting, "log", "-1", "--format=%G?", id)).toBe("B");
  });

  test("can be built on by the next process, and read by it", async () => {
    using place = temporaryPlace();
    const sshKeyFile = join(dirname(place.path), "key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", sshKeyFile]);
    const signing = await readSigningKey(createNodeFileSystem(), { sshKeyFile, passphraseFile: null });
    for (const version of [1, 2]) {
      await using pool = createInlineCommitPool({
        fs: createNodeFileSystem(),
        clock: createSimulatedClock(),
        manifestOf: plainManifest,
        selectionsOf: () => allSelections,
        targets: [targetAt(place.path, { signing })],
      });
      // Without its state ref the trailers are all there is.
      if (version === 2)
        place.git("update-ref", "-d", place.git("for-each-ref", "--format=%(refname)", "refs/kubescribe"));
      const { cursors } = await pool.open("default/history");
      expect(cursors.get(configmaps.key)).toEqual(version === 1 ? undefined : cursorOf(1));
      expect((await flush(pool, [changed({ version })])).commits).toEqual([1]);
    }
    expect(place.git("rev-list", "--count", "main")).toBe("2");
  });
});

test("the thread that builds a commit signs it", async () => {
  using place = temporaryPlace();
  const sshKeyFile = join(dirname(place.path), "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", sshKeyFile]);
  const fs = createNodeFileSystem();
  const targets = [targetAt(place.path, { signing: await readSigningKey(fs, { sshKeyFile, passphraseFile: null }) })];
  const threads = createPiscinaCommitPool({
    targets,
    selectionsOf: () => allSelections,
    workerUrl: new URL("../../src/composition/commit-worker.ts", import.meta.url).href,
    prepareThreads: 1,
  });
  const processes = await createProcessTable();
  await using pool = lockedPool(threads, { targets, fs, clock: createSimulatedClock(), processes });
  await flush(pool, [changed({ version: 1, content: '{"kind":"ConfigMap","apiVersion":"v1"}' })]);
  const allowed = join(dirname(place.path), "allowed");
  writeFileSync(allowed, `${committer} ${readFileSync(`${sshKeyFile}.pub`, "utf8")}`);
  expect(place.git("-c", `gpg.ssh.allowedSignersFile=${allowed}`, "log", "--format=%G?", "main")).toBe("G");
});

describe("a signing key", () => {
  test.each<readonly [string, string, string]>([
    ["nothing", "", "expected a private SSH key (ssh-keygen -t ed25519), found something else"],
    ["a public key", "public", "found a public key: name the file beside it, without .pub"],
    ["one without its passphrase", "locked", "Encrypted private OpenSSH key detected, but no passphrase given"],
    ["one that is not there", "missing", "expected a readable file, found ENOENT"],
  ])("that is %s is refused", async (_, which, message) => {
    using place = temporaryPlace();
    const path = join(dirname(place.path), "key");
    if (which === "") writeFileSync(path, "");
    else if (which !== "missing") {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", which === "locked" ? "secret" : "", "-f", path]);
    }
    const sshKeyFile = which === "public" ? `${path}.pub` : path;
    const read = readSigningKey(createNodeFileSystem(), { sshKeyFile, passphraseFile: null });
    await expect(read).rejects.toMatchObject({ code: "configuration-invalid" });
    await expect(read).rejects.toThrow(message);
    await expect(read).rejects.toThrow(sshKeyFile);
  });
});
