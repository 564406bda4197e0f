/**
 * One run: a cluster, its users, kubescribe and what befalls them, all in memory and by one seed. Owns the world, and the steps by
 * which it goes on.
 *
 * 1. Each step is a request or a fault, drawn from a stream of its own: leaving out one does not shift the others.
 * 2. The clock alone makes things happen; between two steps everything has settled.
 */

import type { FlushResult, HttpResponse } from "../../actors/ports.ts";
import type { RunOptions } from "../config/options.ts";
import { SimulatedCluster } from "../simulator/cluster.ts";
import { NAMESPACES, type SimulatedType } from "../simulator/resource-types.ts";
import { writeNow } from "../simulator/write.ts";
import type { ApiCall, FlushCall, Review, ReviewOutcome } from "./calls.ts";
import { diceAt } from "./dice.ts";
import type { Dice } from "./dice.ts";
import { RefusalRecord } from "./checkers/refusals.ts";
import { uncommitted, unforgotten } from "./checkers/at-rest.ts";
import { ReviewRecord } from "./checkers/reviews.ts";
import { SightRecord } from "./checkers/sights.ts";
import { WatchRecord } from "./checkers/watches.ts";
import { Disk } from "./disk.ts";
import { HighWaterMeter } from "./high-water.ts";
import { optionsOf } from "./engine-options.ts";
import type { World } from "./fault.ts";
import type { Job } from "./job.ts";
import { ListSizes } from "./list-sizes.ts";
import { Machine } from "./machine.ts";
import { Network } from "./network.ts";
import type { Plan } from "./plan.ts";
import { drawCoincidence, drawFault, planOf } from "./plan.ts";
import { pause } from "./process-ports.ts";
import { Reviews } from "./reviews.ts";
import { Road } from "./road.ts";
import { createSimulatedClock } from "./simulated-clock.ts";
import { targetsOf } from "./targets.ts";
import { Truth } from "./checkers/truth.ts";
import { Users } from "./users.ts";
import { Witness } from "./witness.ts";
import { scalableTypes, types } from "./workload.ts";
import { writeLine } from "./write-line.ts";

/** Longer than any wait between two attempts, and than a ref's lock of a process that died. */
const quietMs = 240_000;
const startMs = 15_000;
const bookmarkMs = 7_000;
/** Steps of one pace. */
const stretch = 64;
/** The longest wait before a step, by the pace of its stretch. */
const paces = [1, 2, 4, 16] as const;
const pauses = 0.004;
const longestPauseMs = 3_000;
const coincidence = 0xc01;
/** Requests. */
const mostBefore = 200;
/** A load that persists next to nothing is broken off. */
const stepsPerChange = 30;

export class Run {
  readonly job: Job;
  readonly plan: Plan;
  readonly options: RunOptions;
  readonly clock;
  readonly disk: Disk;
  readonly cluster: SimulatedCluster;
  readonly truth: Truth;
  readonly machine: Machine;
  readonly users: Users;
  readonly reviews = new ReviewRecord();
  readonly watches: WatchRecord;
  readonly lists: ListSizes;
  readonly refusals = new RefusalRecord();
  readonly sights: SightRecord;
  readonly meter = new HighWaterMeter();
  readonly witness: Witness;
  readonly targets;
  readonly befell = new Map<string, number>();
  readonly broken: string[] = [];
  readonly #network: Network;
  readonly #world: World;
  readonly #roads = {
    reviews: new Road<Review, ReviewOutcome>(),
    requests: new Road<ApiCall, HttpResponse>(),
    flushes: new Road<FlushCall, FlushResult>(),
  };
  #steps = 0;

  constructor(job: Job) {
    this.job = job;
    this.plan = planOf(job);
    const dice = diceAt(job.seed);
    const { switches } = this.plan;
    this.options = optionsOf(this.plan, diceAt(job.seed, 0x0b));
    const targets = targetsOf({ sharedBranch: switches.has("shared-branch") });
    this.targets = targets.placed;
    const clock = createSimulatedClock(undefined, { draw: dice.fork().next });
    this.clock = clock;
    this.disk = new Disk(clock, (path) => this.#failed(path));
    this.witness = new Witness(clock, job.traced);
    this.cluster = clusterOf(clock, dice, switches.has("custom-scales") ? scalableTypes : types);
    this.lists = new ListSizes(this.cluster);
    this.truth = new Truth(this.cluster, () => clock.monotonicMs());
    const befell = this.#befell.bind(this);
    const { requests: road, flushes } = this.#roads;
    this.watches = new WatchRecord(clock);
    this.sights = new SightRecord(clock);
    const { cluster, watches: traffic } = this;
    const old = switches.has("old-server");
    this.#network = new Network({ cluster, clock, dice: dice.fork(), road, bookmarkMs, old, traffic });
    this.machine = new Machine({
      clock,
      disk: this.disk,
      network: this.#network,
      flushes,
      dice: dice.fork(),
      log: this.witness,
      plan: { options: this.options, documents: targets.documents },
      meter: this.meter,
      sights: [this.reviews, this.sights],
      losesPower: switches.has("power-losses"),
      befell,
      begins: () => this.refusals.dated(this.clock.monotonicMs(), this.clock.nowMs()),
    });
    const reviews = new Reviews({
      clock,
      record: this.reviews,
      road: this.#roads.reviews,
      receive: (request) => this.machine.process?.receive(request) ?? null,
      broken: (line) => this.broken.push(line),
    });
    const note = this.witness.note.bind(this.witness);
    this.users = new Users({ cluster, clock, reviews, note, befell });
    this.#world = this.#worldOf(this.#prepareCluster());
  }

  get steps(): number {
    return this.#steps;
  }

  /** From the first step until everything has come to rest. */
  async play(): Promise<void> {
    // Volumes are there before the process is.
    for (const path of ["/data", "/repos"]) await this.disk.files.makeDirectory(path);
    await this.disk.files.syncDirectory("/");
    if (this.job.traced) this.#traceWrites();
    for (const name of ["tight-bounds", "short-ttl", "shared-branch", "in-use", "custom-scales", "old-server"])
      if (this.plan.switches.has(name)) this.#befell(name);
    const inUse = this.plan.switches.has("in-use");
    if (inUse) await this.#use(diceAt(this.job.seed, 0x1b5e));
    this.machine.start();
    if (!inUse && diceAt(this.job.seed, 0x57a7).chance(0.8)) await this.clock.run(startMs);
    const only = this.job.only === null ? null : new Set(this.job.only);
    const last = only === null ? this.job.changes * stepsPerChange : Math.max(0, ...only);
    for (let step = 1; step <= last; step += 1) {
      if (only === null && this.truth.writes.length >= this.job.changes) break;
      this.#steps = step;
      this.meter.look();
      await this.#step(step, only === null || only.has(step));
    }
    await this.#settle();
  }

  /** Before kubescribe is there. */
  async #use(dice: Dice): Promise<void> {
    for (let left = dice.below(mostBefore); left > 0; left -= 1) {
      if (!this.users.free) await this.clock.until(this.users.freed());
      void this.users.ask(dice.fork());
      await this.clock.run(dice.below(paces[1]));
    }
  }

  async #step(step: number, kept: boolean): Promise<void> {
    const dice = diceAt(this.job.seed, step);
    await this.clock.run(this.#waitMs(step, dice));
    const fault = drawFault(this.plan, dice) ?? drawCoincidence(this.plan, diceAt(this.job.seed, step, coincidence));
    if (!kept) return;
    if (fault === null) {
      if (!this.users.free) await this.clock.until(this.users.freed());
      void this.users.ask(dice, `#${step} `);
      return;
    }
    this.witness.note(`#${step} ${fault.name}`);
    await this.clock.until(Promise.resolve(fault.strike(this.#world, dice)));
  }

  #waitMs(step: number, dice: Dice): number {
    const pace = diceAt(this.job.seed, Math.floor(step / stretch), stretch).pick(paces);
    return dice.below(dice.chance(pauses) ? longestPauseMs : pace);
  }

  async #settle(): Promise<void> {
    this.witness.note("no more faults and requests");
    for (const road of Object.values(this.#roads)) road.clear();
    this.users.refuse(0, diceAt(0));
    this.disk.heal();
    for (const server of this.cluster.servers) server.catchUp();
    await this.clock.until(this.users.idle());
    await this.clock.run(startMs);
    await this.clock.until(this.machine.supervise());
    await this.clock.run(quietMs);
    for (const condition of this.machine.unready()) this.broken.push(`liveness: ${condition}`);
    const levels = { now: this.meter.now.bind(this.meter) };
    this.broken.push(...uncommitted(levels));
    // Those who asked after the last change wait for as long as their writes could come.
    await this.clock.run(this.options.bounds.pendingTtlSeconds * 1000 + startMs);
    this.broken.push(...unforgotten(levels));
  }

  #prepareCluster(): number {
    const user = { name: "admin", groups: ["system:masters"] };
    const base = { user, namespace: "", name: "", subresource: "", fieldManager: "kubectl", userAgent: "kubectl" };
    for (const name of ["a", "b"]) {
      const body = { metadata: { name } };
      writeNow(this.cluster, { ...base, verb: "create", type: NAMESPACES, body, dryRun: false });
    }
    return this.cluster.store.revision;
  }

  #traceWrites(): void {
    for (const { key } of this.cluster.types) {
      this.cluster.store.subscribe(key, () => {
        const write = this.truth.writes.at(-1);
        if (write !== undefined) this.witness.note(writeLine(write));
      });
    }
  }

  #worldOf(preparedRevision: number): World {
    const { clock, cluster, disk, machine, users, targets } = this;
    return {
      ...this.#roads,
      clock,
      cluster,
      disk,
      machine,
      users,
      targets,
      preparedRevision,
      network: this.#network,
      restore: (revision) => this.#restore(revision),
      befell: this.#befell.bind(this),
      broken: (line) => this.broken.push(line),
      wait: (ms) => pause(clock, ms),
    };
  }

  #restore(revision: number): void {
    this.truth.restore(revision);
    this.lists.restored();
    this.watches.restored(
      this.truth.era,
      types.map(({ key }) => key),
    );
  }

  #failed(path: string): void {
    if (path.startsWith("/data/coverage")) this.sights.refused();
    else if (path.startsWith("/data/")) this.refusals.refused(this.clock.monotonicMs(), this.clock.nowMs());
  }

  #befell(fault: string, detail = ""): void {
    this.befell.set(fault, (this.befell.get(fault) ?? 0) + 1);
    this.witness.note(`--- ${fault}${detail === "" ? "" : `: ${detail}`}`);
  }
}

function clusterOf(clock: { nowMs(): number }, dice: Dice, served: readonly SimulatedType[]): SimulatedCluster {
  const stale = dice.fork();
  return new SimulatedCluster({
    // Dates are made of whole milliseconds.
    clock: { nowMs: () => Math.floor(clock.nowMs()) },
    random: dice.fork().next,
    types: served,
    servers: 2,
    firstRevision: 5 + stale.below(100),
  });
}
