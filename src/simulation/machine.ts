/**
 * The machine that kubescribe runs on, and whoever starts it again when it has ended. Owns the process that runs.
 */

import type { FlushResult, Log, Meter } from "../../actors/ports.ts";
import type { EnginePlan } from "../commands/run.ts";
import type { Condition } from "../telemetry/probes.ts";
import type { FlushCall } from "./calls.ts";
import type { Dice } from "./dice.ts";
import type { Disk } from "./disk.ts";
import { Host } from "./host.ts";
import type { Fuse } from "./life.ts";
import type { Network } from "./network.ts";
import { pause } from "./process-ports.ts";
import type { Road } from "./road.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import { SimulatedProcess } from "./simulated-process.ts";

export interface MachineOptions {
  readonly clock: SimulatedClock;
  readonly disk: Disk;
  readonly network: Network;
  readonly flushes: Road<FlushCall, FlushResult>;
  readonly dice: Dice;
  readonly log: Log;
  readonly plan: EnginePlan;
  /** A crash may take what was not synced. */
  readonly losesPower: boolean;
  readonly meter: Meter;
  /** When reviews are taken. */
  readonly sights: readonly { began(atMs: number): void; ended(atMs: number): void }[];
  readonly befell: (fault: string, detail?: string) => void;
  /** Called as a process begins, which looks at what the one before left on the disk. */
  readonly begins?: () => void;
}

const longestRestartMs = 4_000;
const stopPatienceMs = 20_000;
const superviseEveryMs = 5_000;
const superviseMs = 240_000;

export class Machine {
  readonly #options: MachineOptions;
  readonly #host: Host;
  #process: SimulatedProcess | null = null;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#host = new Host(options.dice.fork());
  }

  get process(): SimulatedProcess | null {
    return this.#process;
  }

  start(): void {
    if (this.#process !== null) return;
    const { clock, plan, log, meter, dice, disk, network, flushes, sights, begins } = this.#options;
    begins?.();
    const onReviews = (): void => sights.forEach((each) => each.began(clock.monotonicMs()));
    const onNoReviews = (): void => sights.forEach((each) => each.ended(clock.monotonicMs()));
    const host = this.#host;
    const world = { clock, disk, network, flushes, host, log, meter, dice: dice.fork(), onReviews, onNoReviews };
    const process = new SimulatedProcess(world, plan);
    this.#process = process;
    process.started.catch((error: unknown) => {
      if (this.#process !== process) return;
      log.info(`it did not start: ${String(error)}`);
      this.kill();
    });
  }

  /** Its so many-th call of that kind from now on is its last one. `torn`: a write ends in its middle. */
  crashAt(at: Pick<Fuse, "kind" | "calls"> & { readonly torn: boolean }): void {
    const process = this.#process;
    process?.life.light({
      ...at,
      spent: (kind, what) => {
        if (this.#process !== process) return;
        const torn = at.torn && kind === "write";
        this.#options.befell(`crashes (${torn ? "torn write" : kind})`, what);
        if (torn) this.#options.disk.tearNext();
        this.kill();
      },
    });
  }

  /** As on SIGTERM; a disk that is full may keep it from ending, and then it is killed. */
  async stop(): Promise<void> {
    const process = this.#process;
    if (process === null) return;
    const { clock, log } = this.#options;
    const stopped = process.stop().catch((error: unknown) => log.info(`it did not stop well: ${String(error)}`));
    await Promise.race([stopped, pause(clock, stopPatienceMs)]);
    if (this.#process === process) this.kill();
  }

  /** The same rules once more: how a recording ends and begins does not depend on what they say. */
  async follow(): Promise<void> {
    const process = this.#process;
    if (process === null) return;
    const { clock, log, plan } = this.#options;
    const followed = process.follow(plan.documents).catch((error: unknown) => {
      if (this.#process !== process) return;
      log.info(`it did not go on: ${String(error)}`);
      this.kill();
    });
    await Promise.race([followed, pause(clock, stopPatienceMs)]);
  }

  kill(): void {
    const { network, disk, dice, clock, losesPower, befell } = this.#options;
    this.#process?.kill();
    this.#process = null;
    network.cut();
    const fate = dice.fork();
    const power = losesPower && fate.chance(0.5);
    if (power) befell("power-losses");
    // What is under way ends first: the disk is read again only by the next process.
    queueMicrotask(() => {
      disk.restart(power ? "power" : "process", fate.next);
      if (power) this.#host.reboot();
    });
    clock.after(1 + fate.below(longestRestartMs), () => this.start());
  }

  /** Why it is not ready. */
  unready(): readonly string[] {
    const down: readonly Condition[] = [{ name: "process", ok: false, reason: "it is not up" }];
    const conditions = this.#process?.conditions() ?? down;
    return conditions.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason}`);
  }

  /** Until it is ready, or has had time enough. */
  async supervise(): Promise<void> {
    for (let waitedMs = 0; waitedMs < superviseMs && this.unready().length > 0; waitedMs += superviseEveryMs)
      await pause(this.#options.clock, superviseEveryMs);
  }
}
