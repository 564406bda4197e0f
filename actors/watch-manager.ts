/**
 * Keeps one watch for each type that is wanted and served. It owns the watches, the gate of their lists, and the heartbeat.
 *
 * 1. One watch per type at a time: a type that changes its version is started anew behind the end of the old watch.
 * 2. A watch is stopped only on a complete answer: a type of a group whose server is silent stays (`uncertain`).
 * 3. The heartbeat moves only while every watch is alive, and there was a first answer.
 */

import { covers } from "../machines/cursor.ts";
import type { Cursor, ResourceType, TypeKey, WatchMessage } from "../machines/messages.ts";
import { faultOf } from "../machines/watch-fault.ts";
import { delayOf, waitFor } from "../machines/watch-plan.ts";
import type { Clock, Log, Meter, Random, Timer } from "./ports.ts";
import { WatchActor } from "./watch-actor.ts";
import type { WatchLimits } from "./watch-actor.ts";
import { WatchGate } from "./watch-gate.ts";
import type { WatchPeers } from "./watch-peers.ts";
import type { WatchSource } from "./watch-source.ts";

export interface TypeSelection {
  /** Wanted and served, each in the version to be watched. */
  readonly types: readonly ResourceType[];
  /** A type of this group may be served although it is not in `types`. */
  readonly uncertain: (group: string) => boolean;
}

export interface WatchStart {
  /** The lowest of the targets' cursors: the watch goes on from there. */
  readonly cursor: Cursor;
  /** The highest: a server that counts lower was restored from a backup (K48). */
  readonly seen: Cursor;
}

export interface WatchManagerOptions {
  /** Asked every `rescanMs`, and when a watch meets a type that is not served. May throw: it is asked again. */
  readonly select: (signal: AbortSignal) => Promise<TypeSelection>;
  readonly source: WatchSource;
  readonly peers?: WatchPeers;
  /** Where a watch begins; null: at a first list. */
  readonly cursorOf: (type: ResourceType) => WatchStart | null;
  readonly sink: (message: WatchMessage) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly meter: Meter;
  readonly log: Log;
  /** Default 10 s: an unchanged server answers 304. */
  readonly rescanMs?: number;
  /** Lists at a time; default 4. */
  readonly listConcurrency?: number;
  readonly limits?: WatchLimits;
}

export interface WatchState {
  readonly type: ResourceType;
  readonly synced: boolean;
  readonly alive: boolean;
  readonly phase: WatchActor["phase"];
  /** What keeps it from going on; null: nothing. */
  readonly trouble: WatchActor["trouble"];
  readonly cursor: Cursor | null;
}

const defaultRescanMs = 10_000;
const defaultListConcurrency = 4;
const heartbeatEveryMs = 1_000;

export class WatchManager implements AsyncDisposable {
  readonly #options: WatchManagerOptions;
  readonly #gate: WatchGate;
  readonly #watches = new Map<TypeKey, WatchActor>();
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  #beating: Timer | null = null;
  /** To be started anew. */
  readonly #outseen = new Set<TypeKey>();
  #wake: () => void = () => undefined;
  #rescanAsked = false;
  #scanned = false;
  #heartbeatMs = 0;

  constructor(options: WatchManagerOptions) {
    this.#options = options;
    this.#gate = new WatchGate(options.listConcurrency ?? defaultListConcurrency);
    options.meter.gauge("watch_manager_heartbeat", () => this.#heartbeatMs / 1000);
    options.meter.gauge("watch_last_message_timestamp_seconds", () => this.#lastMessageMs() / 1000);
    options.meter.gauge("watches", () => this.#watches.size);
    this.#done = this.#run();
    this.#beat();
  }

  /** Wall clock, ms since 1970, when every watch was alive last; 0: never. */
  get heartbeatMs(): number {
    return this.#heartbeatMs;
  }

  /** The served types are known, and the first list of each watch has been passed on. */
  get synced(): boolean {
    return this.#scanned && [...this.#watches.values()].every((watch) => watch.synced);
  }

  get watches(): readonly WatchState[] {
    return [...this.#watches.values()].map((watch) => ({
      type: watch.type,
      synced: watch.synced,
      alive: watch.alive(),
      phase: watch.phase,
      trouble: watch.trouble,
      cursor: watch.cursor,
    }));
  }

  /** Asks which types are wanted and served, now: the rules or the server changed. */
  rescan(): void {
    this.#rescanAsked = true;
    this.#wake();
  }

  /**
   * Somebody has come to `cursor` of whom nobody knew when the watch began. Where that is beyond the watch, it means nothing to it until
   * the server was asked whether it counts lower now (K48): the watch begins anew, at `cursorOf`.
   */
  heed(typeKey: TypeKey, cursor: Cursor): void {
    const watch = this.#watches.get(typeKey);
    if (watch === undefined || covers(watch.cursor, cursor)) return;
    this.#outseen.add(typeKey);
    this.rescan();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    this.#beating?.[Symbol.dispose]();
    await this.#done;
    await Promise.all([...this.#watches.values()].map((watch) => watch[Symbol.asyncDispose]()));
    this.#watches.clear();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted;) {
      this.#rescanAsked = false;
      try {
        await this.#reconcile(await this.#options.select(signal));
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        this.#options.meter.count("watch_scan_failures");
        this.#options.log.warn("Which types are served could not be found out; trying again.", {
          reason: error instanceof Error ? error.message : "unknown",
        });
      }
      await this.#sleep(failures === 0 ? this.#rescanMs() : this.#backOffMs(failures));
    }
  }

  async #reconcile({ types, uncertain }: TypeSelection): Promise<void> {
    const wanted = new Map(types.map((type) => [type.key, type]));
    for (const key of this.#outseen) {
      await this.#watches.get(key)?.[Symbol.asyncDispose]();
      this.#watches.delete(key);
    }
    this.#outseen.clear();
    for (const [key, watch] of this.#watches) {
      const next = wanted.get(key);
      if (next === undefined ? uncertain(watch.type.group) : isSame(next, watch.type)) continue;
      await watch[Symbol.asyncDispose]();
      this.#watches.delete(key);
      this.#options.log.info("A watch has ended: its type is no longer served or wanted as it was.", { type: key });
      if (next !== undefined && !this.#stopping.signal.aborted) this.#start(next, watch.cursor);
    }
    for (const type of types) {
      if (!this.#watches.has(type.key) && !this.#stopping.signal.aborted) this.#start(type, null);
    }
    this.#scanned = true;
  }

  #start(type: ResourceType, own: Cursor | null): void {
    const { source, peers, clock, random, meter, log, sink, cursorOf, limits } = this.#options;
    this.#options.log.info("A watch begins.", { type: type.key, version: type.version });
    const { cursor, seen } = own === null ? (cursorOf(type) ?? nowhere) : { cursor: own, seen: own };
    const watch = new WatchActor({
      type,
      cursor,
      seen,
      source,
      clock,
      random,
      meter,
      log,
      sink,
      gate: this.#gate,
      onMissing: () => this.rescan(),
      ...(peers === undefined ? {} : { peers }),
      ...(limits === undefined ? {} : { limits }),
    });
    this.#watches.set(type.key, watch);
  }

  #lastMessageMs(): number {
    return Math.max(0, ...[...this.#watches.values()].map((watch) => watch.lastMessageMs));
  }

  #beat(): void {
    const { clock } = this.#options;
    if (this.#scanned && [...this.#watches.values()].every((watch) => watch.alive())) this.#heartbeatMs = clock.nowMs();
    this.#beating = clock.after(heartbeatEveryMs, () => this.#beat());
  }

  async #sleep(delayMs: number): Promise<void> {
    if (this.#rescanAsked || this.#stopping.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.#options.clock.after(delayMs, resolve);
    this.#wake = resolve;
    await promise;
  }

  #rescanMs(): number {
    return this.#options.rescanMs ?? defaultRescanMs;
  }

  #backOffMs(failures: number): number {
    return delayOf(waitFor(faultOf("unavailable"), failures), this.#options.random());
  }
}

const nowhere = { cursor: null, seen: null };

function isSame(a: ResourceType, b: ResourceType): boolean {
  return a.version === b.version && a.kind === b.kind && a.namespaced === b.namespaced && a.scalable === b.scalable;
}
