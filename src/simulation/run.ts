/**
 * One run: a cluster, its users, kubescribe and what befalls them, all in memory and by one seed; afterwards the branches are held
 * against what really happened.
 */

import { createHash } from "node:crypto";

import { SimulatedCluster } from "../simulator/cluster.ts";
import type { ReviewAnswer } from "../simulator/cluster.ts";
import { objectAt, stringAt } from "../simulator/json.ts";
import { CONFIG_MAPS, NAMESPACES, WIDGETS } from "../simulator/resource-types.ts";
import type { Attempt } from "../simulator/review.ts";
import { reviewOf } from "../simulator/review.ts";
import { write, writeNow } from "../simulator/write.ts";
import { createSimulatedClock } from "./simulated-clock.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";
import type { Findings } from "./checkers/branch-check.ts";
import { BranchCheck } from "./checkers/branch-check.ts";
import { diceOf } from "./dice.ts";
import type { Dice } from "./dice.ts";
import { optionsOf } from "./engine-options.ts";
import type { GitReader, HistoryCommit } from "./checkers/git-reader.ts";
import { Host } from "./host.ts";
import { Network } from "./network.ts";
import type { Plan } from "./plan.ts";
import { pause } from "./process-ports.ts";
import { SimulatedProcess } from "./simulated-process.ts";
import { documents, targets } from "./targets.ts";
import { Truth } from "./checkers/truth.ts";
import type { TrueWrite } from "./checkers/truth.ts";
import { nextRequest, types } from "./workload.ts";
import { commitLine, LogLines, writeLine } from "./witness.ts";

export interface Outcome {
  readonly seed: number;
  readonly plan: Plan;
  readonly requests: number;
  readonly writes: number;
  readonly findings: ReadonlyMap<string, Findings>;
  readonly broken: readonly string[];
  readonly log: readonly string[];
  readonly simulatedMs: number;
  /** How often each fault struck. */
  readonly befell: ReadonlyMap<string, number>;
  readonly events: string;
  readonly heads: Readonly<Record<string, string>>;
}

const webhookTimeoutMs = 3_000;
/** Longer than any wait between two attempts, and than a ref's lock of a process that died. */
const quietMs = 240_000;
const usersAtOnce = 8;
/** Whoever runs it looks so often whether it is to be started again, and so long at the most until it stays. */
const superviseEveryMs = 5_000;
const superviseMs = 120_000;

export interface SimulateOptions {
  /** How the branches are read when it is over. */
  readonly git: GitReader;
  /** Have git look at every object. */
  readonly fsck: boolean;
}

export async function simulate(seed: number, plan: Plan, options: SimulateOptions): Promise<Outcome> {
  const run = new Run(seed, plan);
  return run.play(options);
}

class Run {
  readonly #seed: number;
  readonly #plan: Plan;
  readonly #dice: Dice;
  readonly #clock = createSimulatedClock();
  readonly #files = new MemoryFileSystem(this.#clock);
  readonly #log = new LogLines(this.#clock);
  readonly #cluster: SimulatedCluster;
  readonly #network: Network;
  readonly #truth: Truth;
  readonly #host: Host;
  #process: SimulatedProcess | null = null;
  /** No backup is older than the cluster's first namespaces. */
  #preparedRevision = 0;
  #fullUntilMs = 0;
  #crashAtCall = Infinity;
  #busyUsers = 0;
  #calm = false;
  #gaps = false;
  #requests = 0;
  readonly #broken: string[] = [];
  readonly #befell = new Map<string, number>();
  /** When each process began to take reviews. */
  readonly #lives: number[] = [];
  readonly #reviews: { readonly user: string; readonly uid: string; readonly atMs: number }[] = [];

  constructor(seed: number, plan: Plan) {
    this.#seed = seed;
    this.#plan = plan;
    this.#dice = diceOf(seed);
    const dice = this.#dice.fork();
    const stale = this.#dice.fork();
    this.#cluster = new SimulatedCluster({
      clock: { nowMs: () => Math.floor(this.#clock.nowMs()) },
      random: dice.next,
      types,
      servers: 2,
      firstRevision: 5 + stale.below(100),
    });
    this.#network = new Network({
      cluster: this.#cluster,
      clock: this.#clock,
      dice: this.#dice.fork(),
      bookmarkMs: 7_000,
    });
    this.#host = new Host(this.#dice.fork());
    this.#truth = new Truth(this.#cluster, () => this.#clock.monotonicMs());
    if (plan.denials) this.#cluster.setPolicy(() => (!this.#calm && stale.chance(0.15) ? this.#refuse() : null));
  }

  async play(options: SimulateOptions): Promise<Outcome> {
    this.#prepareCluster();
    await this.#prepareDisk();
    this.#injectFaults();
    this.#start();
    if (this.#dice.chance(0.8)) await this.#clock.run(15_000);
    while (this.#requests < this.#plan.requests) {
      await this.#clock.run(this.#dice.below(this.#dice.chance(0.05) ? 3_000 : 25));
      if (this.#busyUsers < usersAtOnce) void this.#act();
      if (this.#dice.chance(0.04)) await this.#strike();
      if (this.#process === null && this.#dice.chance(0.1)) this.#start();
    }
    await this.#settle();
    for (const told of this.#truth.writes) this.#log.lines.push(writeLine(told));
    const findings = await this.#check(options);
    const broken = [...findings].flatMap(([name, { broken: lines }]) => lines.map((line) => `${name}: ${line}`));
    return {
      seed: this.#seed,
      plan: this.#plan,
      requests: this.#requests,
      writes: this.#truth.writes.length,
      findings,
      broken: [...this.#broken, ...broken],
      log: this.#log.lines,
      simulatedMs: this.#clock.monotonicMs(),
      befell: this.#befell,
      events: createHash("sha256").update(this.#log.lines.join("\n")).digest("hex").slice(0, 16),
      heads: await this.#heads(),
    };
  }

  #prepareCluster(): void {
    const user = { name: "admin", groups: ["system:masters"] };
    const base = { user, namespace: "", name: "", subresource: "", fieldManager: "kubectl", userAgent: "kubectl" };
    for (const name of ["a", "b"]) {
      const body = { metadata: { name } };
      writeNow(this.#cluster, { ...base, verb: "create", type: NAMESPACES, body, dryRun: false });
    }
    this.#preparedRevision = this.#cluster.store.revision;
  }

  /** Volumes are there before the process is. */
  async #prepareDisk(): Promise<void> {
    for (const path of ["/data", "/repos"]) await this.#files.makeDirectory(path);
    await this.#files.syncDirectory("/");
  }

  #injectFaults(): void {
    this.#files.inject({
      at: (call, name, path) => {
        if (call >= this.#crashAtCall) {
          this.#crashAtCall = Infinity;
          this.#note("crash at a call");
          this.#kill();
          return name === "write" && this.#dice.chance(0.5) ? "torn" : "crash";
        }
        const full = this.#clock.monotonicMs() < this.#fullUntilMs;
        return full && /^\/repos|^\/data\/journal/.test(path) && name === "write" && this.#dice.chance(0.5)
          ? "ENOSPC"
          : null;
      },
    });
  }

  #start(): void {
    const process = new SimulatedProcess(
      {
        clock: this.#clock,
        files: this.#files,
        network: this.#network,
        host: this.#host,
        dice: this.#dice.fork(),
        log: this.#log,
        onReviews: () => this.#lives.push(this.#clock.monotonicMs()),
      },
      { options: optionsOf(this.#plan), documents },
    );
    this.#process = process;
    process.started.catch((error: unknown) => {
      if (this.#process !== process) return;
      this.#note(`start failed: ${String(error)}`);
      this.#kill();
    });
  }

  #refuse(): string {
    this.#count("denials");
    return "a quota";
  }

  #count(fault: string): void {
    this.#befell.set(fault, (this.#befell.get(fault) ?? 0) + 1);
  }

  async #act(): Promise<void> {
    this.#busyUsers += 1;
    this.#requests += 1;
    const server = this.#dice.below(2);
    if (this.#dice.chance(0.1)) this.#lag(server);
    const run = write(this.#cluster, { ...nextRequest(this.#cluster, this.#dice), server });
    let step = run.next();
    while (step.done !== true) step = run.next(await this.#ask(step.value));
    this.#busyUsers -= 1;
  }

  /** The watch cache of an API server stands still for a moment (K2). */
  #lag(server: number): void {
    const lagging = this.#cluster.server({ server });
    lagging.hold();
    void this.#wait(this.#dice.below(40)).then(() => lagging.catchUp());
  }

  async #ask(attempt: Attempt): Promise<ReviewAnswer> {
    const { badWebhook } = this.#plan;
    const fate = badWebhook && !this.#calm ? this.#dice.below(40) : 40;
    const body = reviewOf(attempt);
    if (fate < 2) {
      this.#count("lost reviews");
      await this.#wait(this.#dice.chance(0.5) ? webhookTimeoutMs : 1);
      return unanswered;
    }
    if (fate < 3) {
      this.#count("late reviews");
      void this.#deliver(body, webhookTimeoutMs + this.#dice.below(3_000));
      await this.#wait(webhookTimeoutMs);
      return unanswered;
    }
    if (fate < 5) {
      this.#count("doubled reviews");
      void this.#deliver(body, this.#dice.below(2_000));
    }
    const answer = this.#deliver(body, this.#dice.below(10));
    const timeout = this.#wait(webhookTimeoutMs).then(() => unanswered);
    const first = await Promise.race([answer, timeout]);
    await this.#wait(this.#dice.below(this.#dice.chance(0.1) ? 1_000 : 10));
    return first;
  }

  async #deliver(body: string, delayMs: number): Promise<ReviewAnswer> {
    await this.#wait(delayMs);
    const answer = this.#process?.review(Buffer.from(body)) ?? null;
    if (answer === null) return unanswered;
    const uid = /"uid":"([^"]+)"/.exec(/"oldObject":(.*)/s.exec(body)?.[1] ?? "")?.[1] ?? "";
    const user = /"username":"([^"]+)"/.exec(body)?.[1] ?? "";
    this.#reviews.push({ user, uid, atMs: this.#clock.monotonicMs() });
    const { response } = JSON.parse(Buffer.from(await answer).toString()) as ReviewResponse;
    if (!response.allowed || response.uid !== requestUidOf(body))
      this.#broken.push(`a review was answered by ${JSON.stringify(response)}`);
    return { answered: true, allowed: response.allowed, message: "" };
  }

  #wait(ms: number): Promise<void> {
    return pause(this.#clock, ms);
  }

  async #strike(): Promise<void> {
    const { crashes, compactions, restores, fullDisks, clockJumps, badNetwork, leases } = this.#plan;
    const fates: (readonly [name: string, strike: () => void | Promise<void>])[] = [];
    if (crashes) fates.push(["crashes", () => this.#crash()], ["stops", () => this.#stop()]);
    if (compactions)
      fates.push(["compactions", () => this.#compact()], ["server restarts", () => this.#restartServer()]);
    if (restores && this.#dice.chance(0.3)) fates.push(["restores", () => this.#restore()]);
    if (fullDisks)
      fates.push(["full disks", () => void (this.#fullUntilMs = this.#clock.monotonicMs() + this.#dice.below(5_000))]);
    if (clockJumps) fates.push(["clock jumps", () => this.#clock.jump(this.#dice.below(60_000) - 30_000)]);
    if (leases) fates.push(["leases", () => this.#expireLease()], ["leases", () => this.#expireLease()]);
    if (badNetwork) {
      fates.push(
        ["watch cuts", () => this.#network.cut()],
        ["watch stalls", () => this.#network.stall(this.#dice.below(8_000))],
        ["API outages", () => this.#cutOff()],
      );
    }
    const fate = fates[this.#dice.below(fates.length)];
    if (fate === undefined) return;
    this.#count(fate[0]);
    await fate[1]();
  }

  #cutOff(): void {
    this.#note("API server out of reach");
    this.#network.setDown(true);
    void this.#wait(this.#dice.below(6_000)).then(() => this.#network.setDown(false));
  }

  /** Of one type, so that a watch can be cut among them. */
  #expireLease(): void {
    const { store } = this.#cluster;
    const { key: typeKey } = this.#dice.pick([CONFIG_MAPS, CONFIG_MAPS, WIDGETS]);
    const all = store.list(typeKey, { namespace: "", revision: store.revision }) ?? [];
    const keys = all.flatMap(({ object }) => {
      const metadata = objectAt(object, "metadata");
      const at = { typeKey, namespace: stringAt(metadata, "namespace"), name: stringAt(metadata, "name") };
      return this.#dice.chance(0.6) ? [at] : [];
    });
    store.expire(keys, { user: "etcd", subresource: "", reviewed: false });
    if (this.#dice.chance(0.4)) this.#network.cut();
    if (this.#plan.crashes && this.#dice.chance(0.4)) this.#crash();
  }

  #crash(): void {
    if (this.#dice.chance(0.5)) this.#crashAtCall = this.#files.calls + this.#dice.below(60);
    else {
      this.#note("kill");
      this.#kill();
    }
  }

  /** A disk that is full may keep it from ending, and then it is killed. */
  async #stop(): Promise<void> {
    const process = this.#process;
    if (process === null) return;
    this.#note("stop");
    const stopped = new AbortController();
    process
      .stop()
      .catch((error: unknown) => this.#note(`stop failed: ${String(error)}`))
      .finally(() => stopped.abort());
    for (let turn = 0; turn < 40 && !stopped.signal.aborted; turn += 1) await this.#clock.run(500);
    if (this.#process === process) this.#kill();
  }

  #kill(): void {
    this.#process?.kill();
    this.#process = null;
    this.#network.cut();
    const powerLoss = this.#plan.powerLoss && this.#dice.chance(0.5);
    // What is under way ends first: the disk is read again only by the next process.
    queueMicrotask(() => {
      this.#files.restart(powerLoss ? "power" : "process");
      if (powerLoss) this.#host.reboot();
      this.#injectFaults();
    });
  }

  #compact(): void {
    const { store } = this.#cluster;
    const keep = this.#dice.below(6);
    this.#note(`compacted, ${keep} kept`);
    this.#gaps = true;
    store.compact(store.revision - keep);
    if (this.#dice.chance(0.7)) this.#network.cut();
  }

  /** Its watch cache begins anew: who watched there may go on at another, or finds the history gone. */
  #restartServer(): void {
    const server = this.#dice.below(2);
    this.#note(`API server ${server} restarted`);
    this.#gaps = true;
    this.#cluster.server({ server }).restart();
  }

  /** The API servers stop for it; kubescribe sees them again before much is written (K48). */
  async #restore(): Promise<void> {
    await this.#untilUsersRest();
    const { store } = this.#cluster;
    const revision = Math.max(store.compacted, store.revision - this.#dice.below(12));
    if (revision < this.#preparedRevision) return;
    this.#note(`restored ${store.revision} -> ${revision}`);
    this.#gaps = true;
    this.#truth.restore(revision);
    this.#network.cut();
    await this.#supervise();
    await this.#clock.run(120_000);
  }

  /** Until it is ready. */
  async #supervise(): Promise<void> {
    for (let waitedMs = 0; waitedMs < superviseMs && this.#unready().length > 0; waitedMs += superviseEveryMs) {
      if (this.#process === null) this.#start();
      await this.#clock.run(superviseEveryMs);
    }
  }

  #unready(): readonly string[] {
    const conditions = this.#process?.conditions() ?? [{ name: "process", ok: false, reason: "it is not up" }];
    return conditions.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason}`);
  }

  /** Every request ends, whatever befalls it: else the run would never end. */
  async #untilUsersRest(): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + quietMs;
    while (this.#busyUsers > 0) {
      if (this.#clock.monotonicMs() > untilMs) throw new Error(`seed ${this.#seed}: a request never ended`);
      await this.#clock.run(100);
    }
  }

  async #settle(): Promise<void> {
    this.#calm = true;
    this.#crashAtCall = Infinity;
    this.#fullUntilMs = 0;
    await this.#untilUsersRest();
    await this.#clock.run(10_000);
    await this.#supervise();
    await this.#clock.run(quietMs);
    for (const condition of this.#unready()) this.#broken.push(`liveness: ${condition}`);
  }

  async #check({ git, fsck }: SimulateOptions): Promise<ReadonlyMap<string, Findings>> {
    const { badWebhook, tightBounds, crashes, badNetwork, shortTtl, fullDisks } = this.#plan;
    const found = new Map<string, Findings>();
    const around = {
      truth: this.#truth,
      types,
      gaps: this.#gaps,
      blind: crashes || badNetwork,
      forgetful: tightBounds || (fullDisks && crashes),
      sawReview: (user: string, { uid, atMs }: TrueWrite) => {
        const begunMs = this.#lives.findLast((sinceMs) => sinceMs <= atMs) ?? 0;
        return this.#reviews.some((review) => review.user === user && review.uid === uid && review.atMs >= begunMs);
      },
      allNamed: !this.#gaps && !badWebhook && !tightBounds && !shortTtl && !(fullDisks && crashes),
    };
    const repositories = Map.groupBy(targets, ([, { gitdir }]) => gitdir);
    for (const [gitDirectory, inside] of repositories) {
      const checks = inside.map(([name, target]) => [name, new BranchCheck(target, around)] as const);
      const onCommit = (commit: HistoryCommit): void => {
        this.#log.lines.push(commitLine(commit.subject, commit.trailers));
        for (const [, check] of checks) check.see(commit);
      };
      const complaints = await git.read({ disk: this.#files, gitDirectory, branch: "main", fsck, onCommit });
      for (const complaint of complaints) this.#broken.push(`git fsck: ${gitDirectory}: ${complaint}`);
      for (const [name, check] of checks) found.set(name, check.end());
    }
    return found;
  }

  async #heads(): Promise<Readonly<Record<string, string>>> {
    const heads: Record<string, string> = {};
    for (const { gitdir } of targets.values()) {
      const head = await this.#files.readFile(`${gitdir}/refs/heads/main`).catch(() => null);
      heads[gitdir] = head === null ? "" : Buffer.from(head).toString("latin1").trim();
    }
    return heads;
  }

  #note(what: string): void {
    this.#log.info(`--- ${what}`, { revision: this.#cluster.store.revision });
  }
}

interface ReviewResponse {
  readonly response: { readonly uid: string; readonly allowed: boolean };
}

function requestUidOf(body: string): string {
  return (JSON.parse(body) as { readonly request: { readonly uid: string } }).request.uid;
}

const unanswered: ReviewAnswer = { answered: false, allowed: true, message: "" };
