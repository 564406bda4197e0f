/**
 * One branch's way to its remote: pushes what is committed, and builds it anew where others pushed in between.
 *
 * Owns the chart (machines/upstream.ts), one exchange with the remote at a time, and the count of unpushed commits.
 * 1. `moved` is synchronous and never throws: a dead remote delays no commit and no other target.
 * 2. A push counts once the remote's refs were read back, and every one of them stands where it was to go.
 */

import { initialTransition, transition } from "xstate";
import { KubescribeError, type Retry } from "../machines/error.ts";
import { mayRepack, upstreamMachine, type UpstreamEffect, type UpstreamEvent } from "../machines/upstream.ts";
import type { ArrivedPush } from "./committed-changes.ts";
import { packMissing } from "./ports.ts";
import type { Clock, Labels, Log, Meter, Mirrors, Outgoing, Random, RefIds, Remote, Timer } from "./ports.ts";

export interface UpstreamOptions {
  /** Any of the targets that write to the branch: it stands for them all. */
  readonly targetId: string;
  readonly mirrors: Mirrors;
  readonly remote: Remote;
  /** From one push that arrived to the next, at least. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly meter: Meter;
  readonly log: Log;
  /** Told of each push that has arrived; must not throw. */
  readonly arrived?: (push: ArrivedPush) => void;
}

export interface UpstreamStatus {
  readonly state: "level" | "pushing" | "resting" | "rebuilding" | "backingOff" | "stopped";
  readonly unpushed: number;
  readonly lastError: { readonly code: string; readonly message: string } | null;
  /** Wall clock: when the remote was last seen to have all there was; null: not yet. */
  readonly levelAtMs: number | null;
}

export class UpstreamActor implements AsyncDisposable {
  readonly #options: UpstreamOptions;
  readonly #labels: Labels;
  readonly #closing = new AbortController();
  readonly #events: UpstreamEvent[] = [];
  /** Exchanges under way; one at the most, but for the moment between two. */
  readonly #tasks = new Set<Promise<void>>();
  #snapshot = initialTransition(upstreamMachine)[0];
  #sending = false;
  #timer: Timer | null = null;
  #unpushed = 0;
  #levelAtMs: number | null = null;
  #lastError: UpstreamStatus["lastError"] = null;
  #waiters: (() => void)[] = [];

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#labels = { target: options.targetId };
    this.#show({ unpushed: () => this.#unpushed, stopped: () => (this.#snapshot.value === "stopped" ? 1 : 0) });
  }

  status(): UpstreamStatus {
    const { value: state } = this.#snapshot;
    return { state, unpushed: this.#unpushed, lastError: this.#lastError, levelAtMs: this.#levelAtMs };
  }

  /** The local branch moved by so many commits, or its cursors did. */
  moved(commits: number): void {
    this.#unpushed += commits;
    this.#send({ type: "moved" });
  }

  /** Resolves once the remote has all there is, or nothing more can be done, or `signal` is aborted. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#send({ type: "hurried" });
    let wake: () => void = () => undefined;
    const aborted = (): void => wake();
    signal.addEventListener("abort", aborted);
    while (!signal.aborted && this.#snapshot.value !== "level" && this.#snapshot.value !== "stopped") {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      this.#waiters.push(resolve);
      await promise;
      this.#send({ type: "hurried" });
    }
    signal.removeEventListener("abort", aborted);
  }

  /** Breaks off what is under way: what has not arrived is pushed by the next process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#disarm();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
    // What it was when it ended would be an alarm for ever.
    this.#show({ unpushed: () => Number.NaN, stopped: () => Number.NaN });
  }

  #show(gauges: { readonly unpushed: () => number; readonly stopped: () => number }): void {
    const { meter } = this.#options;
    meter.gauge("unpushed_commits", gauges.unpushed, this.#labels);
    meter.gauge("remote_stopped", gauges.stopped, this.#labels);
  }

  #send(event: UpstreamEvent): void {
    if (this.#closing.signal.aborted) return;
    this.#events.push(event);
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#step(next);
    } finally {
      this.#sending = false;
    }
    for (const wake of this.#waiters.splice(0)) wake();
  }

  #step(event: UpstreamEvent): void {
    const [snapshot, actions] = transition(upstreamMachine, this.#snapshot, event);
    if (snapshot.value === "level" && this.#snapshot.value !== "level") this.#levelAtMs = this.#options.clock.nowMs();
    this.#snapshot = snapshot;
    for (const { type, params } of actions) if (type === "effect") this.#perform(params as UpstreamEffect);
  }

  #perform(effect: UpstreamEffect): void {
    switch (effect.kind) {
      case "push":
        return this.#run(() => this.#push().catch((error: unknown) => this.#repacked(error)));
      case "rebuild":
        return this.#run(() => this.#rebuild());
      case "armBackoff": {
        const { clock, random } = this.#options;
        this.#timer = clock.after(random() * effect.ceilingMs, () => this.#send({ type: "backoffElapsed" }));
        return;
      }
      case "armRest": {
        const { clock, intervalMs } = this.#options;
        this.#timer = clock.after(intervalMs, () => this.#send({ type: "restElapsed" }));
        return;
      }
      case "disarm":
        return this.#disarm();
      case "giveUp":
        return this.#giveUp();
      default:
        return effect satisfies never;
    }
  }

  async #push(): Promise<UpstreamEvent> {
    const { mirrors, remote, targetId, clock, meter, arrived } = this.#options;
    const outgoing = await mirrors.outgoing(targetId, this.#lastError?.code === "remote-refused");
    if (outgoing === null) {
      this.#unpushed = 0;
      this.#lastError = null;
      return { type: "level" };
    }
    this.#unpushed = Math.max(this.#unpushed, outgoing.commits + outgoing.waiting);
    const startedMs = clock.monotonicMs();
    const startedAtMs = clock.nowMs();
    const refs = await remote.push(outgoing, this.#closing.signal);
    meter.record("push_duration_seconds", (clock.monotonicMs() - startedMs) / 1000, this.#labels);
    if (!hasArrived(outgoing, refs)) {
      meter.count("pushes", { ...this.#labels, outcome: "stale" });
      return { type: "stale" };
    }
    // No other ref: where somebody else has brought the branch is not fetched yet.
    await mirrors.arrived(targetId, Object.fromEntries(outgoing.updates.map(({ ref, to }) => [ref, to])));
    this.#unpushed = Math.max(0, this.#unpushed - outgoing.commits);
    this.#lastError = null;
    meter.count("pushes", { ...this.#labels, outcome: "pushed" });
    arrived?.({ startedAtMs, endedAtMs: clock.nowMs(), whole: outgoing.waiting === 0 });
    return { type: "pushed" };
  }

  /** All there is to do is to look again: nothing was sent, or nothing whole. */
  #repacked(error: unknown): UpstreamEvent {
    const isGone = error instanceof KubescribeError && error.code === packMissing;
    if (isGone && mayRepack(this.#snapshot.context)) return { type: "repacked" };
    throw error;
  }

  async #rebuild(): Promise<UpstreamEvent> {
    const { mirrors, remote, targetId, log, meter } = this.#options;
    const refs = await remote.fetch(null, this.#closing.signal);
    const commits = await mirrors.rebuild(targetId, refs);
    meter.count("rebuilt_commits", this.#labels, commits);
    log.info("The remote had moved; what it lacked was committed anew on its newest commit.", {
      target: targetId,
      commits,
    });
    return { type: "rebuilt" };
  }

  #run(work: () => Promise<UpstreamEvent>): void {
    const task = work()
      .catch((error: unknown) => this.#failed(error))
      .then((event) => {
        this.#tasks.delete(task);
        this.#send(event);
      });
    this.#tasks.add(task);
  }

  #failed(error: unknown): UpstreamEvent {
    const { log, meter, targetId: target } = this.#options;
    const code = error instanceof KubescribeError ? error.code : "unknown";
    if (code === "remote-stale") return { type: "stale" };
    const retry: Retry = error instanceof KubescribeError ? error.retry : "backoff";
    const message = error instanceof Error ? error.message : String(error);
    this.#lastError = { code, message };
    if (this.#closing.signal.aborted) return { type: "failed", retry };
    meter.count("pushes", { ...this.#labels, outcome: retry === "never" ? "refused" : "failed" });
    log.warn("A push did not get through.", { target, code, retry, error: message, unpushed: this.#unpushed });
    return { type: "failed", retry };
  }

  #giveUp(): void {
    const { log, targetId: target } = this.#options;
    log.error("Nothing more is pushed; commits stay in this process's own repository. Mend the cause and restart.", {
      target,
      code: this.#lastError?.code ?? "unknown",
      error: this.#lastError?.message ?? "",
      unpushed: this.#unpushed,
    });
  }

  #disarm(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
  }
}

function hasArrived({ updates }: Outgoing, refs: RefIds): boolean {
  return updates.every(({ ref, to }) => refs[ref] === to);
}
