/**
 * Keeps what is known of the resources on disk, so that a gap after a crash can be told apart. Owns its timer.
 * A type is written when something was seen of it, at most every second, and for no more than a hundredth of the time: the files
 * are replaced whole, and there may be 100,000 resources.
 */

import type { Observable, Subscription } from "rxjs";

import type { KnownStore } from "../../actors/known-store.ts";
import type { Clock, Log, Timer } from "../../actors/ports.ts";
import type { ResourceRecord } from "../../actors/resource-record.ts";
import type { ResourceKey, TypeKey, WatchMessage } from "../../machines/messages.ts";

export interface KnownKeeperOptions {
  readonly store: KnownStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly watch$: Observable<WatchMessage>;
  readonly recordsOf: (typeKey: TypeKey) => Iterable<readonly [ResourceKey, ResourceRecord]>;
}

const shortestPauseMs = 1000;
const pauseForEachMs = 99;

export class KnownKeeper implements Disposable {
  readonly #options: KnownKeeperOptions;
  readonly #changed = new Set<TypeKey>();
  readonly #subscription: Subscription;
  #timer: Timer | null = null;
  #saving: Promise<void> = Promise.resolve();
  #disposed = false;

  constructor(options: KnownKeeperOptions) {
    this.#options = options;
    this.#subscription = options.watch$.subscribe((message) => {
      if (message.kind === "bookmarked") return;
      this.#changed.add(message.kind === "listed" ? message.type.key : message.event.type.key);
    });
    this.#arm(shortestPauseMs);
  }

  /** Writes what changed since the last time. Never rejects: what cannot be kept is logged. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer?.[Symbol.dispose]();
    this.#subscription.unsubscribe();
  }

  #arm(pauseMs: number): void {
    if (this.#disposed) return;
    this.#timer = this.#options.clock.after(pauseMs, () => void this.#turn());
  }

  async #turn(): Promise<void> {
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    await this.save();
    this.#arm(Math.max(shortestPauseMs, pauseForEachMs * (clock.monotonicMs() - startMs)));
  }

  async #save(): Promise<void> {
    const { store, recordsOf, log } = this.#options;
    const types = [...this.#changed];
    this.#changed.clear();
    for (const typeKey of types) {
      try {
        await store.save(typeKey, recordsOf(typeKey));
      } catch (error) {
        this.#changed.add(typeKey);
        const reason = error instanceof Error ? error.message : "unknown";
        log.warn("what is known of a type could not be kept; a gap would be told with less detail", {
          type: typeKey,
          reason,
        });
      }
    }
  }
}
