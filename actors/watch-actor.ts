/**
 * Runs the state chart of one type's watch on ports. It owns the snapshot of the chart, the one request in flight, and how far
 * messages have been passed on.
 *
 * 1. The sink is called synchronously from the one loop that reads, in watch order, and never with a part of a list (K25, K30).
 * 2. The position moves behind the sink's return: what it threw at comes again.
 * 3. One request at a time: the next begins when the one before has ended.
 * 4. A throw that nobody expected is counted and named, and the watch goes on from its last version after a wait.
 */

import type { Clock, Log, Meter, Random } from "./ports.ts";
import type { Cursor, ResourceType, ResourceVersion, TypeKey, WatchEvent, WatchMessage } from "../machines/messages.ts";
import { initialWatch, stepWatch } from "../machines/watch.ts";
import type { WatchEffect, WatchInput, WatchPhase, WatchSnapshot } from "../machines/watch.ts";
import { delayOf } from "../machines/watch-plan.ts";
import { faultOf } from "../machines/watch-fault.ts";
import type { FaultKind, WatchFault } from "../machines/watch-fault.ts";
import { InitialEvents } from "./watch-initial-events.ts";
import { WatchPosition } from "./watch-position.ts";
import { Silence } from "./watch-silence.ts";
import type { WatchGate } from "./watch-gate.ts";
import type { WatchPeers } from "./watch-peers.ts";
import type { ListMatch, StreamReceiver, WatchSource } from "./watch-source.ts";

export interface WatchLimits {
  /** A stream that says nothing for so long is cut (K25). */
  readonly streamSilenceMs: number;
  /** The same for other requests. */
  readonly requestSilenceMs: number;
  /** The server is asked to end a stream after a random time of these (K25). */
  readonly minTimeoutSeconds: number;
  readonly maxTimeoutSeconds: number;
}

const watchLimits: WatchLimits = {
  streamSilenceMs: 150_000,
  requestSilenceMs: 60_000,
  minTimeoutSeconds: 300,
  maxTimeoutSeconds: 600,
};

/** A stream that ends sooner, with nothing said, is a failure: asking at once again would never end. */
const shortStreamMs = 1000;

export interface WatchActorOptions {
  readonly type: ResourceType;
  /** Null: nothing is known; the first message is a list with `unbroken: false`. */
  readonly cursor: Cursor | null;
  /** The highest cursor of those who share the watch; default `cursor`. */
  readonly seen?: Cursor | null;
  readonly source: WatchSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly meter: Meter;
  readonly log: Log;
  readonly sink: (message: WatchMessage) => void;
  /** Shared by the watches of one server: so many lists at a time. */
  readonly gate?: WatchGate;
  /** Shared by whoever reads the same types of one server. */
  readonly peers?: WatchPeers;
  readonly limits?: WatchLimits;
  /** Asked behind each message: true ends the watch. */
  readonly until?: (message: WatchMessage) => boolean;
  /** The server says that it does not know the type. */
  readonly onMissing?: () => void;
}

type Operation = Extract<WatchEffect, { readonly kind: "probe" | "list" | "stream" | "wait" }>;

/** One stream. While `initial` is there, its list is not complete. */
interface Reading {
  readonly request: AbortController;
  readonly slot: Disposable | null;
  initial: InitialEvents | null;
}

/** An operation's answer for the chart; null: it was cancelled, and what to do next is known already. */
type Answer = WatchInput | null;

export class WatchActor implements AsyncDisposable {
  readonly type: ResourceType;
  readonly #options: WatchActorOptions;
  readonly #limits: WatchLimits;
  readonly #labels: { readonly type: TypeKey };
  readonly #position = new WatchPosition();
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  #snapshot: WatchSnapshot = initialWatch();
  #next: Operation | null = null;
  #request: AbortController | null = null;
  /** A complete list that the chart has not judged yet. */
  #items: readonly WatchEvent[] = [];
  #epoch = 0;
  #synced = false;
  /** The stream in flight said something. */
  #productive = false;
  /** In line for a list: nobody is asked, so nobody can answer. */
  #queued = false;
  #silence: Silence | null = null;
  #lastAliveMs = 0;
  #lastMessageMs = 0;
  /** What was logged last: an outage is a line for each watch, not one for each attempt. */
  #reported: FaultKind | null = null;
  #events = 0;

  constructor(options: WatchActorOptions) {
    this.type = options.type;
    this.#options = options;
    this.#limits = options.limits ?? watchLimits;
    this.#labels = { type: options.type.key };
    this.#lastAliveMs = options.clock.monotonicMs();
    this.#done = this.#run();
  }

  /** Resolves once the watch has ended, by `until` or by disposing. Never rejects. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** The first list has been passed on. */
  get synced(): boolean {
    return this.#synced;
  }

  get phase(): WatchPhase {
    return this.#snapshot.value as WatchPhase;
  }

  /** What kind of failure it is in; null: none. */
  get trouble(): FaultKind | null {
    return this.#reported;
  }

  get cursor(): Cursor | null {
    return this.#position.in(this.#epoch);
  }

  /** Wall clock, ms since 1970, when a list, an event or a bookmark was read last; 0: none was. */
  get lastMessageMs(): number {
    return this.#lastMessageMs;
  }

  /** It reads, or waits for an answer, and has heard from the server within the limit. */
  alive(): boolean {
    const { phase } = this;
    if (phase === "backingOff" || phase === "stopped") return false;
    if (this.#queued) return true;
    return this.#options.clock.monotonicMs() - this.#lastAliveMs <= this.#limits.streamSilenceMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.#done;
  }

  #stop(): void {
    this.#stopping.abort();
    this.#request?.abort();
  }

  async #run(): Promise<void> {
    const { cursor, seen = cursor, peers } = this.#options;
    if (cursor !== null) this.#position.reset(cursor.resourceVersion);
    this.#epoch = cursor?.epoch ?? 0;
    using _joined = peers?.join(this.type.key, this);
    let input: Answer = { type: "started", cursor, seen };
    for (;;) {
      try {
        if (this.#stopping.signal.aborted) break;
        if (input !== null) this.#advance(input);
        const operation = this.#next;
        this.#next = null;
        if (operation === null || this.#stopping.signal.aborted) break;
        input = await this.#perform(operation);
      } catch (error) {
        input = this.#crashed(error);
      }
      this.#report(input);
    }
    this.#snapshot = stepWatch(this.#snapshot, { type: "stopped" })[0];
  }

  /** Lets the chart judge, and does at once what takes no time. */
  #advance(input: WatchInput): void {
    const [snapshot, effects] = stepWatch(this.#snapshot, input);
    for (const effect of effects) {
      switch (effect.kind) {
        case "emit":
          this.#emitList(effect);
          break;
        case "restarted":
          this.#options.meter.count("watch_restarts", { reason: effect.reason });
          break;
        case "stop":
          this.#stop();
          break;
        case "probe":
        case "list":
        case "stream":
        case "wait":
          this.#next = effect;
          break;
        default:
          effect satisfies never;
      }
    }
    // Last: a list that the sink threw at was not passed on, so the chart must not believe it.
    this.#snapshot = snapshot;
  }

  async #perform(operation: Operation): Promise<Answer> {
    const request = new AbortController();
    this.#request = request;
    this.#productive = false;
    try {
      switch (operation.kind) {
        case "wait":
          this.#items = [];
          await this.#sleep(delayOf(operation, this.#options.random()), request.signal);
          return { type: "elapsed" };
        case "probe":
          return await this.#probe(request);
        case "list":
          return await this.#list(operation, request);
        case "stream":
          return await this.#stream({ from: operation.from }, request);
        default:
          return operation satisfies never;
      }
    } finally {
      this.#request = null;
      this.#countEvents();
    }
  }

  async #probe(request: AbortController): Promise<Answer> {
    using silence = this.#listen(request, this.#limits.requestSilenceMs);
    // Before it is asked: what somebody reads meanwhile may be newer than the answer.
    const heard = this.#options.peers?.highest(this.type.key) ?? null;
    const answer = await this.#options.source.version(this.type, request.signal);
    if (answer.kind === "counted") return { type: "probed", version: answer.version, heard };
    return this.#failed(silence.fell ? silence.fault : answer.fault);
  }

  async #list(effect: Extract<WatchEffect, { kind: "list" }>, request: AbortController): Promise<Answer> {
    this.#queued = true;
    using slot = (await this.#options.gate?.enter(request.signal)) ?? null;
    this.#queued = false;
    const match: ListMatch =
      effect.match === "latest" || effect.version === ""
        ? { match: "latest" }
        : { match: effect.match === "exact" ? "exact" : "not-older", version: effect.version };
    if (effect.method === "watch-list") return await this.#stream({ initial: match }, request, slot);
    using silence = this.#listen(request, this.#limits.requestSilenceMs);
    const alive = (): void => this.#hear();
    const answer = await this.#options.source.list(this.type, { ...match, alive }, request.signal);
    if (answer.kind === "faulted") return this.#failed(silence.fell ? silence.fault : answer.fault);
    this.#items = answer.items;
    return { type: "listed", version: answer.version, continues: false };
  }

  async #stream(
    begin: { readonly from: ResourceVersion } | { readonly initial: ListMatch },
    request: AbortController,
    slot: Disposable | null = null,
  ): Promise<Answer> {
    const reading: Reading = {
      request,
      slot,
      initial: "initial" in begin ? new InitialEvents() : null,
    };
    const startedMs = this.#options.clock.monotonicMs();
    using silence = this.#listen(request, this.#limits.streamSilenceMs);
    const answer = await this.#options.source.stream(
      this.type,
      { begin, timeoutSeconds: this.#timeoutSeconds() },
      this.#receiver(reading),
      request.signal,
    );
    if (this.#next !== null) return null;
    const productive = this.#productive;
    const at = reading.initial === null ? this.cursor : null;
    if (silence.fell) return { type: "failed", fault: silence.fault, at, productive };
    if (answer.kind === "faulted") return { type: "failed", fault: answer.fault, at, productive };
    if (reading.initial !== null) return this.#failed(faultOf("broken", "the initial events did not end"));
    const lastedMs = this.#options.clock.monotonicMs() - startedMs;
    return productive || lastedMs >= shortStreamMs
      ? { type: "ended", at }
      : { type: "failed", fault: faultOf("short"), at, productive };
  }

  #receiver(reading: Reading): StreamReceiver {
    const { signal } = reading.request;
    return {
      event: (event) => {
        if (signal.aborted) return;
        if (reading.initial === null) this.#observe(event);
        else reading.initial.take(event);
      },
      bookmark: (version, initialEnd) => {
        if (signal.aborted) return;
        if (reading.initial === null) this.#bookmark(version);
        else if (initialEnd) this.#completeInitialEvents(reading, reading.initial, version);
      },
      alive: () => this.#hear(),
    };
  }

  #completeInitialEvents(reading: Reading, initial: InitialEvents, version: ResourceVersion): void {
    this.#items = initial.items();
    this.#advance({ type: "listed", version, continues: true });
    reading.initial = null;
    reading.slot?.[Symbol.dispose]();
    // Judged too old: what follows it is of no use.
    if (this.#next !== null) reading.request.abort();
  }

  #observe(event: WatchEvent): void {
    this.#productive = true;
    if (this.#position.isRepeat(event)) {
      this.#options.meter.count("watch_repeats", this.#labels);
      return;
    }
    this.#emit({ kind: "observed", event, epoch: this.#epoch });
    this.#position.passed(event);
    this.#events += 1;
  }

  #bookmark(version: ResourceVersion): void {
    this.#productive = true;
    this.#lastMessageMs = this.#options.clock.nowMs();
    this.#options.meter.count("watch_bookmarks", this.#labels);
    if (this.#position.isNews(version)) {
      this.#emit({
        kind: "bookmarked",
        type: this.type,
        resourceVersion: version,
        epoch: this.#epoch,
      });
    }
    this.#position.completed(version);
  }

  #emitList(effect: Extract<WatchEffect, { kind: "emit" }>): void {
    const { version, epoch, unbroken } = effect;
    const items = this.#items;
    this.#items = [];
    this.#emit({
      kind: "listed",
      type: this.type,
      resourceVersion: version,
      epoch,
      unbroken,
      items,
    });
    this.#position.reset(version);
    this.#epoch = epoch;
    this.#synced = true;
    this.#productive = true;
    this.#options.meter.count("watch_lists", { type: this.type.key, unbroken: String(unbroken) });
  }

  #emit(message: WatchMessage): void {
    this.#reported = null;
    this.#lastMessageMs = this.#options.clock.nowMs();
    this.#options.sink(message);
    if (this.#options.until?.(message) === true) this.#stop();
  }

  #failed(fault: WatchFault): Answer {
    return { type: "failed", fault, at: null, productive: false };
  }

  #crashed(error: unknown): WatchInput {
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : "something that is no Error";
    this.#options.meter.count("watch_faults", this.#labels);
    this.#next = null;
    // Only a stream moves the position; a list that was not passed on moved nothing.
    const at = this.phase === "streaming" ? this.cursor : null;
    return { type: "failed", fault: faultOf("crashed", detail), at, productive: false };
  }

  #report(input: Answer): void {
    if (input?.type !== "failed" || this.#stopping.signal.aborted) return;
    const { kind, detail } = input.fault;
    if (kind === "undecodable") this.#options.meter.count("watch_decode_failures", this.#labels);
    if (kind === "missing") this.#options.onMissing?.();
    const fields = { type: this.type.key, reason: kind, detail };
    if (kind === "crashed") this.#options.log.error("A watch failed unexpectedly and is started again.", fields);
    else if (kind === this.#reported) this.#options.log.debug("A watch cannot go on and tries again.", fields);
    else if (kind === "broken" || kind === "gone") this.#options.log.info("A watch is started again.", fields);
    else this.#options.log.warn("A watch cannot go on and tries again.", fields);
    this.#reported = kind;
  }

  #listen(request: AbortController, limitMs: number): Silence {
    this.#hear();
    this.#silence = new Silence({
      clock: this.#options.clock,
      limitMs,
      cut: () => request.abort(),
    });
    return this.#silence;
  }

  #hear(): void {
    this.#lastAliveMs = this.#options.clock.monotonicMs();
    this.#silence?.hear();
    this.#countEvents();
  }

  async #sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.#options.clock.after(delayMs, resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
  }

  #countEvents(): void {
    if (this.#events === 0) return;
    this.#options.meter.count("watch_events", this.#labels, this.#events);
    this.#events = 0;
  }

  #timeoutSeconds(): number {
    const { minTimeoutSeconds, maxTimeoutSeconds } = this.#limits;
    return minTimeoutSeconds + Math.floor(this.#options.random() * (maxTimeoutSeconds - minTimeoutSeconds + 1));
  }
}
