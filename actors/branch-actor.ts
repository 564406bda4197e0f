/**
 * One target branch: takes messages without ever blocking their sender, and brings them to Git in order, in batches.
 *
 * Owns the branch's chart (machines/branch.ts), its ledger (machines/branch-ledger.ts), one flush at a time, one catch-up at a
 * time, and the copy of the cursors.
 *
 * 1. `receive` is synchronous and never throws; a fault of this actor stops this target alone.
 * 2. At most one flush runs; a failed one is repeated with the same entries.
 * 3. A cursor is shown or copied only when everything before it is durable.
 * 4. One that is opened late has heard the shared watch from the beginning: it keeps the verdicts, and catches up.
 */

import { initialTransition, transition } from "xstate";
import { branchMachine, type BranchEffect, type BranchEvent } from "../machines/branch.ts";
import type { TypeList } from "../machines/branch-intake.ts";
import { BranchLedger, type Receipt } from "../machines/branch-ledger.ts";
import { KubescribeError, type Retry } from "../machines/error.ts";
import { joined } from "../machines/cursor.ts";
import type { BranchMessage, Cursor, Tier, TypeKey, WatchMessage } from "../machines/messages.ts";
import { CatchUpStream } from "./branch-catch-up.ts";
import { CursorCopier, readCursorCopy, type CursorCopy } from "./branch-cursor-copy.ts";
import { BranchDrains } from "./branch-drains.ts";
import { BranchMeters } from "./branch-meters.ts";
import { defaultBranchLimits, type BranchLimits, type BranchOptions } from "./branch-options.ts";
import { committedFlush } from "./committed-changes.ts";
import type { TargetState, Timer } from "./ports.ts";

export interface BranchStatus {
  readonly targetId: string;
  readonly state: "unopened" | "idle" | "holding" | "collecting" | "flushing" | "backingOff" | "stopped";
  readonly supply: "attached" | "detached" | "catchingUp" | "awaitingLive" | "resting";
  readonly queueDepth: number;
  readonly queueBytes: number;
  readonly detachedTypes: readonly TypeKey[];
  /** Durable. */
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
  readonly tip: string;
  /** Wall clock: when this process made a commit last; null: none yet. */
  readonly lastCommitMs: number | null;
  /** Changes that this process has committed. */
  readonly verdicts: ReadonlyMap<Tier, number>;
  readonly lastError: { readonly code: string; readonly message: string } | null;
}

/** Opens the target's repository by the pool and reads the copy of its cursors. Throws what the pool throws. */
export async function openBranchActor(options: BranchOptions): Promise<BranchActor> {
  return new BranchActor(options, await readTarget(options));
}

/** Its cursors are the higher ones of the repository and the copy. Throws what the pool throws. */
export async function readTarget(
  options: Pick<BranchOptions, "pool" | "targetId" | "files" | "dataDir" | "cluster" | "log">,
): Promise<TargetState> {
  const state = await options.pool.open(options.targetId);
  const { files, dataDir, cluster, targetId: target } = options;
  const copy = await readCursorCopy({ files, dataDir, cluster, target }, options.log);
  return { ...state, cursors: mergedCursors(state, copy) };
}

export class BranchActor implements AsyncDisposable {
  readonly #options: BranchOptions;
  readonly #limits: BranchLimits;
  readonly #ledger: BranchLedger;
  readonly #meters: BranchMeters;
  #snapshot = initialTransition(branchMachine)[0];
  readonly #events: BranchEvent[] = [];
  #sending = false;
  #flowTimer: Timer | null = null;
  #restTimer: Timer | null = null;
  readonly #stream: CatchUpStream;
  /** Null: not open yet, there is nothing to copy. */
  #copier: CursorCopier | null = null;
  readonly #drains: BranchDrains;
  /** Promises that are under way; awaited on disposal. */
  readonly #tasks = new Set<Promise<void>>();
  #tip = "";
  #lastCommitMs: number | null = null;
  #verdictsLost = 0;
  #lastError: BranchStatus["lastError"] = null;
  #closed = false;

  /** `state` null: what the repository holds is not known yet; `openLate` follows. */
  constructor(options: BranchOptions, state: TargetState | null) {
    this.#options = options;
    this.#limits = { ...defaultBranchLimits, ...options.limits };
    const { backlogBytes, verdictLogEntries, flushChanges, flushBytes } = this.#limits;
    this.#ledger = new BranchLedger({
      cursors: state?.cursors ?? null,
      outOfFormat: state?.outOfFormat ?? new Set(),
      expected: options.types,
      backlogBytes,
      verdictLogEntries,
      flushChanges,
      flushBytes,
    });
    this.#drains = new BranchDrains(options.targetId);
    this.#stream = new CatchUpStream(options.catchUp, {
      onMessage: (message) => this.#replayed(message),
      onFailure: (start, error) => this.#catchUpFailed(start.typeKey, error),
    });
    if (state !== null) this.#begin(state.tip);
    this.#meters = new BranchMeters(options, {
      depth: () => this.#ledger.queue.depth,
      bytes: () => this.#ledger.bytes,
      oldestAgeSeconds: () => this.#ageMs(this.#ledger.oldestMs) / 1000,
      detached: () => this.#ledger.detachedTypes.size,
      stopped: () => (this.#snapshot.value.flow === "stopped" ? 1 : 0),
    });
  }

  /**
   * What the repository holds is known at last, and where the shared watch stands: each type has to catch up from the one to the other.
   * An error instead of it stops this target. `lists`: at its own cursors, of types that are out of format.
   */
  openLate(state: TargetState | Error, shared: ReadonlyMap<TypeKey, Cursor>, lists: readonly TypeList[] = []): void {
    if (this.#closed) return;
    if (state instanceof Error) return this.#broken(state);
    this.#ledger.open(state);
    this.#begin(state.tip);
    for (const list of lists) this.compare(list);
    // The first lists of the shared watch, by which other files of another format would be rewritten, are over.
    if (state.cursors.size > 0) this.#ledger.stopHolding();
    for (const [typeKey, cursor] of shared) this.receive({ kind: "progressed", typeKey, cursor });
    if (this.#mayCatchUp()) this.#send({ type: "relieved" });
    this.#nudge();
  }

  /** Where the shared watch has to start for this target; undefined: with a list. */
  cursorOf(typeKey: TypeKey): Cursor | undefined {
    return this.#ledger.cursorOf(typeKey);
  }

  /** Types whose files something else wrote, until a list shows what they should be. */
  get outOfFormat(): ReadonlySet<TypeKey> {
    return this.#ledger.outOfFormat;
  }

  /** What was received is flushed without what is still out of format. */
  stopHolding(): void {
    this.#ledger.stopHolding();
    this.#nudge();
  }

  receive(message: BranchMessage): void {
    this.#take((nowMs) => this.#ledger.receive(message, nowMs));
  }

  /** A list at this target's own cursor: by it the files of a type that is out of format are made what they should be. */
  compare(list: TypeList): void {
    this.#take((nowMs) => this.#ledger.compare(list, nowMs));
  }

  status(): BranchStatus {
    const { flow, supply } = this.#snapshot.value;
    return {
      targetId: this.#options.targetId,
      state: this.#copier === null && flow !== "stopped" ? "unopened" : flow,
      supply,
      queueDepth: this.#ledger.queue.depth,
      queueBytes: this.#ledger.bytes,
      detachedTypes: [...this.#ledger.detachedTypes],
      cursors: this.#ledger.cursors(),
      tip: this.#tip,
      lastCommitMs: this.#lastCommitMs,
      verdicts: this.#meters.verdicts,
      lastError: this.#lastError,
    };
  }

  /**
   * Resolves when everything accepted so far is durable; what detached types still have to catch up is not waited for. Rejects
   * with `branch-drain-unfinished` when `signal` is aborted or the target is stopped.
   */
  async drain(signal: AbortSignal): Promise<void> {
    const { depth } = this.#ledger.queue;
    if (depth === 0) return;
    const durable = this.#drains.wait(depth, signal);
    try {
      this.#send({ type: "hurried" });
      await durable;
    } finally {
      if (this.#drains.size === 0) this.#send({ type: "calmed" });
    }
  }

  /** Takes nothing more, waits for the flush that runs, copies the cursors. Does not flush: `drain` first. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#disarm();
    this.#restTimer?.[Symbol.dispose]();
    this.#stream.close();
    this.#drains.giveUp();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
    await this.#copier?.stop();
    this.#meters.close();
  }

  #begin(tip: string): void {
    this.#tip = tip;
    const { clock, log, files, dataDir, cluster, targetId: target } = this.#options;
    const place = { files, dataDir, cluster, target };
    const everyMs = this.#limits.cursorCopyMs;
    this.#copier = new CursorCopier({ ...place, clock, log, everyMs }, () => ({
      cluster,
      target,
      tip: this.#tip,
      cursors: this.#ledger.cursors(),
    }));
  }

  #take(receive: (nowMs: number) => Receipt): void {
    if (this.#closed || this.#snapshot.value.flow === "stopped") return;
    try {
      this.#received(receive(this.#options.clock.monotonicMs()));
    } catch (error) {
      this.#broken(error);
    }
  }

  #received(receipt: Receipt): void {
    switch (receipt) {
      case "skipped":
      case "advanced":
      case "amended":
        return;
      case "late":
        return this.#meters.amendedLate();
      case "queued":
        return this.#nudge();
      case "outdated":
        this.#countLost();
        this.#send({ type: "outdated" });
        return this.#nudge();
      case "logged":
        if (this.#snapshot.value.supply === "attached") this.#detached();
        this.#countLost();
        return this.#nudge();
      case "settled":
        this.#countLost();
        this.#send({ type: "caughtUp", more: this.#ledger.detachedTypes.size > 0 });
        return this.#nudge();
      default:
        return receipt satisfies never;
    }
  }

  /** Tells the chart of what has changed in the queue, if it waits for that. */
  #nudge(): void {
    const { flow } = this.#snapshot.value;
    const { queue, holding, full } = this.#ledger;
    if (flow === "idle" && queue.waiting > 0) this.#send({ type: "collected", holding });
    else if ((flow === "holding" && !holding) || (flow === "collecting" && full)) this.#send({ type: "filled" });
  }

  #send(event: BranchEvent): void {
    this.#events.push(event);
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#step(next);
    } finally {
      this.#sending = false;
    }
  }

  #step(event: BranchEvent): void {
    try {
      const [snapshot, actions] = transition(branchMachine, this.#snapshot, event);
      this.#snapshot = snapshot;
      for (const { params } of actions) this.#perform(params as BranchEffect);
      if (this.#events.length === 0 && this.#mayCatchUp()) this.#events.push({ type: "relieved" });
    } catch (error) {
      this.#note(error);
      if (event.type !== "broken") this.#events.push({ type: "broken" });
    }
  }

  #mayCatchUp(): boolean {
    if (this.#closed || this.#copier === null) return false;
    if (this.#snapshot.value.supply !== "detached" || !this.#ledger.relieved) return false;
    return this.#snapshot.context.failures === 0 && this.#snapshot.value.flow !== "stopped";
  }

  #perform(effect: BranchEffect): void {
    switch (effect.kind) {
      case "armWindow":
        return this.#arm(this.#limits.batchWindowMs - this.#ageMs(this.#ledger.queue.oldestWaitingMs), "windowElapsed");
      case "armSnapshotWait":
        return this.#arm(this.#limits.snapshotWaitMs, "windowElapsed");
      case "armBackoff":
        return this.#arm(this.#options.random() * effect.ceilingMs, "backoffElapsed");
      case "disarm":
        return this.#disarm();
      case "flush":
        return this.#run(this.#flush());
      case "startCatchUp":
        return this.#startCatchUp();
      case "stopCatchUp":
        this.#stream.close();
        return this.#ledger.stopCatchUp(effect.failed);
      case "closeStream":
        return this.#stream.close();
      case "armRest":
        this.#restTimer = this.#options.clock.after(this.#options.random() * effect.ceilingMs, () =>
          this.#send({ type: "restElapsed" }),
        );
        return;
      case "disarmRest":
        return this.#restTimer?.[Symbol.dispose]();
      case "giveUp":
        return this.#giveUp();
      default:
        return effect satisfies never;
    }
  }

  async #flush(): Promise<void> {
    const { pool, clock, targetId, committed } = this.#options;
    const startedMs = clock.monotonicMs();
    const seconds = (): number => (clock.monotonicMs() - startedMs) / 1000;
    try {
      this.#ledger.stopHolding();
      const { entries, cursors } = this.#ledger.take();
      if (entries.length === 0) return this.#send({ type: "flushed", next: "nothing" });
      const result = await pool.flush(targetId, {
        entries: entries.map(({ item }) => item),
        cursors,
        ...(committed === undefined ? {} : { wantsIds: true }),
      });
      if (this.#tip !== result.tip) this.#lastCommitMs = clock.nowMs();
      this.#tip = result.tip;
      const durable = this.#ledger.settle();
      this.#lastError = null;
      this.#meters.flushed(durable, result.commits, seconds());
      this.#drains.settled(durable.length);
      this.#options.flushed?.(result.commits.reduce((sum, made) => sum + made, 0));
      committed?.(committedFlush({ targetId, entries: durable, result, startedMs }, clock));
      this.#tellFaults(result.faults ?? 0);
      if (!this.#closed) this.#send({ type: "flushed", next: this.#next() });
    } catch (error) {
      const retry = this.#note(error);
      this.#meters.failed(retry === "never" ? "refused" : "failed", seconds());
      if (!this.#closed) this.#send({ type: "failed", retry });
    }
  }

  #tellFaults(faults: number): void {
    if (faults === 0) return;
    const { log, targetId: target } = this.#options;
    log.error("objects could not be read and were committed as they stand, Secrets as a comment; please report it", {
      target,
      objects: faults,
    });
    this.#meters.objectsFaulted(faults);
  }

  #next(): "nothing" | "window" | "backlog" {
    const { queue, full } = this.#ledger;
    if (queue.waiting === 0) return "nothing";
    return full || this.#ageMs(queue.oldestWaitingMs) >= this.#limits.batchWindowMs ? "backlog" : "window";
  }

  #detached(): void {
    const types = [...this.#ledger.detachedTypes].join(" ");
    this.#options.log.warn("target detached: it will catch up by a watch of its own", {
      target: this.#options.targetId,
      types,
      queueBytes: this.#ledger.bytes,
    });
    this.#send({ type: "detached" });
  }

  #startCatchUp(): void {
    const start = this.#ledger.startCatchUp();
    if (start === null) return this.#send({ type: "crowded" });
    this.#run(this.#stream.run(start));
  }

  #catchUpFailed(type: TypeKey, error: unknown): void {
    const { log, targetId: target } = this.#options;
    log.warn("catch-up failed; it is tried again", { target, type, error: messageOf(error) });
    this.#meters.catchUp("failed");
    this.#send({ type: "catchUpFailed" });
  }

  #replayed(message: WatchMessage): void {
    try {
      const outcome = this.#ledger.replay(message, this.#options.clock.monotonicMs());
      if (outcome === "caughtUp") this.#send({ type: "caughtUp", more: this.#ledger.detachedTypes.size > 0 });
      else if (outcome !== "more") this.#send({ type: outcome });
      if (outcome !== "more") this.#meters.catchUp(outcome);
      this.#nudge();
    } catch (error) {
      this.#broken(error);
    }
  }

  /** A fault in this very code: no retry can help. */
  #broken(error: unknown): void {
    this.#note(error);
    this.#send({ type: "broken" });
  }

  #giveUp(): void {
    const { log, targetId: target } = this.#options;
    log.error("target stopped: its changes wait in the API server's history; mend the cause and restart", {
      target,
      code: this.#lastError?.code ?? "unknown",
      error: this.#lastError?.message ?? "",
      dropped: this.#ledger.queue.depth,
    });
    this.#disarm();
    this.#restTimer?.[Symbol.dispose]();
    this.#stream.close();
    this.#ledger.clear();
    this.#drains.giveUp();
  }

  #note(error: unknown): Retry {
    const code = error instanceof KubescribeError ? error.code : "unknown";
    this.#lastError = { code, message: messageOf(error) };
    // An unknown error is tried again: giving up loses more than trying.
    const retry = error instanceof KubescribeError ? error.retry : "backoff";
    const { log, targetId: target } = this.#options;
    log.warn("target failed", { target, code, retry, error: messageOf(error) });
    return retry;
  }

  #countLost(): void {
    const lost = this.#ledger.verdictsLost - this.#verdictsLost;
    if (lost === 0) return;
    this.#verdictsLost += lost;
    this.#meters.verdictsLost(lost);
  }

  #arm(delayMs: number, type: "windowElapsed" | "backoffElapsed"): void {
    this.#flowTimer = this.#options.clock.after(Math.max(0, delayMs), () => this.#send({ type }));
  }

  #disarm(): void {
    this.#flowTimer?.[Symbol.dispose]();
    this.#flowTimer = null;
  }

  #run(task: Promise<void>): void {
    const tracked = task.finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
  }

  #ageMs(sinceMs: number | null): number {
    return sinceMs === null ? 0 : this.#options.clock.monotonicMs() - sinceMs;
  }
}

/** For each type the higher of the two; the copy counts only with the very tip that it was made with. */
function mergedCursors(state: TargetState, copy: CursorCopy | null): ReadonlyMap<TypeKey, Cursor> {
  const merged = new Map(state.cursors);
  if (copy === null || copy.tip !== state.tip) return merged;
  for (const [key, cursor] of copy.cursors) {
    merged.set(key, joined(merged.get(key) ?? null, cursor));
  }
  return merged;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
