/**
 * Opens targets that could not be opened at the start, as soon as they can be. Owns what is under way.
 *
 * 1. The shared watch goes on meanwhile; where it stands when a target is opened is told to it, and what the target has seen is told to
 *    the watch.
 */

import { type BranchActor, readTarget } from "../../actors/branch-actor.ts";
import type { BranchOptions } from "../../actors/branch-options.ts";
import type { TargetState } from "../../actors/ports.ts";
import type { WatchManager } from "../../actors/watch-manager.ts";
import type { TypeList } from "../../machines/branch-intake.ts";
import type { Cursor, TypeKey } from "../../machines/messages.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { persistently } from "./persistently.ts";

export interface LateOpening {
  readonly branch: BranchActor;
  readonly options: BranchOptions;
  /** Resolves when the target can be opened; rejects where it never can. */
  readonly possible: Promise<void>;
  /** A list exactly where the target has come to; null: it is not to be had any more. */
  readonly compare: (typeKey: TypeKey, cursor: Cursor) => Promise<TypeList | null>;
}

export class LateOpenings implements AsyncDisposable {
  readonly #watches: Pick<WatchManager, "watches" | "heed">;
  readonly #ports: EnginePorts;
  readonly #closing = new AbortController();
  readonly #tasks: readonly Promise<void>[];

  constructor(openings: readonly LateOpening[], watches: Pick<WatchManager, "watches" | "heed">, ports: EnginePorts) {
    this.#watches = watches;
    this.#ports = ports;
    this.#tasks = openings.map((opening) => this.#open(opening));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#tasks);
  }

  async #open(opening: LateOpening): Promise<void> {
    const { branch, options } = opening;
    const state = await this.#read(opening).catch((error: unknown) => errorOf(error));
    const lists = state instanceof Error ? [] : await this.#compare(opening, state);
    if (this.#closing.signal.aborted) return;
    const wanted = new Set(options.types);
    const shared = this.#watches.watches.flatMap(({ type, cursor }) =>
      cursor !== null && wanted.has(type.key) ? [[type.key, cursor] as const] : [],
    );
    branch.openLate(state, new Map(shared), lists);
    if (state instanceof Error) return;
    this.#ports.log.info("The target is opened, and catches up.", { target: options.targetId });
    for (const [typeKey, cursor] of state.cursors) this.#watches.heed(typeKey, cursor);
  }

  async #compare(
    { compare }: LateOpening,
    { cursors, outOfFormat = new Set() }: TargetState,
  ): Promise<readonly TypeList[]> {
    const lists: TypeList[] = [];
    for (const typeKey of outOfFormat) {
      const cursor = cursors.get(typeKey);
      const list = cursor === undefined || this.#closing.signal.aborted ? null : await compare(typeKey, cursor);
      if (list !== null) lists.push(list);
    }
    return lists;
  }

  async #read({ options, possible }: LateOpening): Promise<TargetState> {
    const { signal } = this.#closing;
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => reject(errorOf(signal.reason)), { once: true });
    await Promise.race([possible, promise]);
    return persistently(() => readTarget(options), { ...this.#ports, signal });
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
