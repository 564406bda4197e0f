/** What `verify` reads of remotes: the newest commit of a branch, fetched anew for each look. Owns a temporary directory. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileSystem } from "../../actors/ports.ts";
import type { CompiledTarget } from "../config/compile-rules.ts";
import { RefStore } from "../git/refs.ts";
import { ensureRepository } from "../git/repository.ts";
import { nodeClock as clock } from "./node-clock.ts";
import { linkRemote } from "./node-remote.ts";
import { credentialsOf, refusedHosts } from "./upstreams.ts";

export interface RemoteCopiesOptions {
  readonly credentialsDir: string | null;
  /** See refusedHosts. */
  readonly config: string | null;
  readonly allow: readonly string[];
  readonly files: FileSystem;
  readonly signal: AbortSignal;
}

export class RemoteCopies implements AsyncDisposable {
  readonly #options: RemoteCopiesOptions;
  readonly #directory: string;
  #count = 0;

  private constructor(options: RemoteCopiesOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
  }

  static async make(options: RemoteCopiesOptions): Promise<RemoteCopies> {
    return new RemoteCopies(options, await mkdtemp(join(tmpdir(), "kubescribe-verify-")));
  }

  /** Of a target without a remote, its own repository. */
  async of({ config }: CompiledTarget): Promise<string> {
    const { remote, repository, branch } = config;
    if (remote === null) return repository;
    const { files: fs, signal, credentialsDir } = this.#options;
    const path = join(this.#directory, `${(this.#count += 1)}.git`);
    const gitDirectory = await ensureRepository({ fs, repository: path, branch, sync: false });
    const ref = `refs/heads/${branch}`;
    const site = {
      url: remote.url,
      credentialsDirectory: credentialsOf(remote, credentialsDir),
      refusesHost: refusedHosts(this.#options)(remote.url),
      gitDirectory,
      refs: [ref],
    };
    const found = await linkRemote(site, { fs, clock, environment: process.env }).fetch(1, signal);
    const head = found[ref] ?? "";
    if (head !== "") await new RefStore({ fs, clock, gitDirectory, sync: false }).move(ref, { expected: "", id: head });
    return gitDirectory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}
