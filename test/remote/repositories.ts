/** Repositories that stock git makes: bare ones for a server, a working one to push from, and packs of it. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { PushedPack } from "../../src/remote/remote.ts";

export const branch = "refs/heads/main";
export const stateRef = "refs/kubescribe/cluster/target";

export interface Place extends Disposable {
  readonly path: string;
}

export function temporaryPlace(): Place {
  const path = mkdtempSync(join(tmpdir(), "kubescribe-remote-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

export function git(gitDirectory: string, args: readonly string[], input: string | Uint8Array = ""): string {
  return gitBytes(gitDirectory, args, input).toString("utf8").trim();
}

function gitBytes(gitDirectory: string, args: readonly string[], input: string | Uint8Array): Buffer {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: gitDirectory,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@example.com",
    GIT_COMMITTER_NAME: "c",
    GIT_COMMITTER_EMAIL: "c@example.com",
  };
  const stdio = ["pipe", "pipe", "pipe"] as const;
  return execFileSync("git", [`--git-dir=${gitDirectory}`, ...args], {
    input,
    env,
    stdio: [...stdio],
    maxBuffer: 1 << 30,
  });
}

/** Empty, bare, with the options of git-config that are named. */
export function makeRepository(path: string, config: Readonly<Record<string, string>> = {}): string {
  execFileSync("git", ["init", "-q", "--bare", "-b", "main", path]);
  for (const [name, value] of Object.entries({ "http.receivepack": "true", ...config }))
    git(path, ["config", name, value]);
  return path;
}

/** The repository that is pushed from: it makes commits and packs, and has no remote. */
export class Source {
  readonly path: string;
  #commits = 0;

  constructor(path: string) {
    this.path = makeRepository(path);
  }

  /** A commit of `files` files that differ from those of any other; returns its id. */
  commit(parent: string, { files = 1, sizeBytes = 100 } = {}): string {
    this.#commits += 1;
    const number = this.#commits;
    const names = Array.from({ length: files }, (_, index) => `file-${index}.yaml`);
    const content = (name: string): string => noise(`${number}/${name}`, sizeBytes);
    const from = parent === "" ? "" : `from ${parent}\n`;
    const body = names.map((name) => `M 100644 inline ${name}\ndata <<EOT\n${content(name)}\nEOT\n`).join("");
    const stamp = `c <c@example.com> ${1_700_000_000 + number} +0000`;
    const ref = `refs/heads/made-${number}`;
    const stream = `commit ${ref}\ncommitter ${stamp}\ndata 7\ncommit\n${from}${body}\n`;
    git(this.path, ["fast-import", "--quiet", "--force"], stream);
    return git(this.path, ["rev-parse", ref]);
  }

  /** A blob, as the state ref names one. */
  blob(text: string): string {
    return git(this.path, ["hash-object", "-w", "--stdin"], text);
  }

  /** All that `wanted` need and `known` do not, in chunks of `chunkBytes`. */
  pack(wanted: readonly string[], known: readonly string[] = [], chunkBytes = 64 << 10): PushedPack {
    return packOf(this.bytes(wanted, known), chunkBytes);
  }

  bytes(wanted: readonly string[], known: readonly string[] = []): Buffer {
    const revisions = [...wanted, ...known.map((id) => `^${id}`)].join("\n");
    return gitBytes(this.path, ["pack-objects", "--revs", "--stdout", "-q"], `${revisions}\n`);
  }
}

function packOf(bytes: Buffer, chunkBytes = 64 << 10): PushedPack {
  return {
    sizeBytes: bytes.length,
    async *chunks() {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
    },
  };
}

/** Text that does not deflate well and is the same each time. */
function noise(seed: string, sizeBytes: number): string {
  let state = 2_166_136_261;
  for (const character of seed) state = Math.imul(state ^ character.charCodeAt(0), 16_777_619);
  let text = "";
  while (text.length < sizeBytes) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    text += (state >>> 0).toString(36);
  }
  return text.slice(0, sizeBytes);
}
