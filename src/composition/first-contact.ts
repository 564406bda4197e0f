/**
 * The first word with a remote: where its branch stands, and so where its targets begin. Owns the tries, of which one runs at a time.
 *
 * 1. It goes on trying until it is disposed of, or nothing but a person can mend it.
 * 2. Nobody has to wait for it: `settled` says whether it answered at once, `met` when it did.
 */

import type { Mirrors, RefIds, Remote } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { persistently } from "./persistently.ts";

export interface FirstContactOptions {
  /** Any of those that write to the branch. */
  readonly targetId: string;
  readonly mirrors: Mirrors;
  readonly remote: Remote;
  /** The branch first. */
  readonly refs: readonly string[];
}

/** Git's own word for all there is: without a depth a server leaves what is here as shallow as it is. */
const wholeHistory = 0x7fffffff;
/** So many commits are fetched, and more where they reach back too little. */
const depths: readonly number[] = [1, 50, 2500, wholeHistory];

export class FirstContact implements AsyncDisposable {
  readonly #options: FirstContactOptions;
  readonly #ports: EnginePorts;
  readonly #closing = new AbortController();
  readonly #troubled = Promise.withResolvers<void>();
  /** Rejects where nothing but a person can mend it, or it is disposed of. */
  readonly met: Promise<void>;
  #trouble = "it has not answered yet";

  constructor(options: FirstContactOptions, ports: EnginePorts) {
    this.#options = options;
    this.#ports = ports;
    this.met = this.#try();
    // Whoever waits for it hears of it; nobody has to.
    this.met.catch(() => {});
  }

  /** Why it was not met yet. */
  get trouble(): string {
    return this.#trouble;
  }

  /** Resolves when it was met, when a try failed that is repeated, or when so much time is over. Rejects as `met` does. */
  async settled(patienceMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.#ports.clock.after(patienceMs, resolve);
    await Promise.race([this.met, this.#troubled.promise, promise]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.met.catch(() => {});
  }

  async #try(): Promise<void> {
    const signal = AbortSignal.any([this.#closing.signal, this.#ports.signal]);
    const failed = (error: Error): void => {
      this.#trouble = error.message;
      this.#troubled.resolve();
    };
    await persistently(() => this.#meet(signal).catch(explain), { ...this.#ports, signal, failed });
  }

  /** Fetches what the first flush needs, and no more of somebody else's history. */
  async #meet(signal: AbortSignal): Promise<void> {
    const { targetId, mirrors, remote, refs } = this.#options;
    const [branch = ""] = refs;
    for (const depth of depths) {
      const found: RefIds = await remote.fetch(depth, signal);
      if (!(await mirrors.adopt(targetId, found))) continue;
      this.#ports.log.info("The remote was reached for the first time.", {
        target: targetId,
        at: found[branch] ?? "empty",
      });
      return;
    }
  }
}

/** What the disk says of a fetch knows no remedy but time: giving up would lose more than trying. */
function explain(error: unknown): never {
  if (error instanceof KubescribeError) throw error;
  const what = error instanceof Error ? error.message : String(error);
  const message = `what was fetched of the remote could not be kept: ${what}; it is tried again`;
  throw new KubescribeError("remote-fetch-failed", message, { retry: "backoff", cause: error });
}
