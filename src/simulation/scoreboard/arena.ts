/**
 * The world of one field of the scoreboard: a cluster, its crowd, a disk, and kubescribe by one of the designs, or none at all. Owns
 * the process and what befalls it.
 *
 * 1. Designs differ in the two options that choose them, and in nothing else.
 */

import type { HttpResponse } from "../../../actors/ports.ts";
import { decodeDocuments } from "../../config/decode-documents.ts";
import type { RunOptions } from "../../config/options.ts";
import { SimulatedCluster } from "../../simulator/cluster.ts";
import { NAMESPACES } from "../../simulator/resource-types.ts";
import { writeNow } from "../../simulator/write.ts";
import type { ApiCall } from "../calls.ts";
import { Truth } from "../checkers/truth.ts";
import { diceOf } from "../dice.ts";
import type { Dice } from "../dice.ts";
import { Disk } from "../disk.ts";
import { engineOptions } from "../engine-options.ts";
import { HighWaterMeter } from "../high-water.ts";
import { Machine } from "../machine.ts";
import { Network } from "../network.ts";
import { Road } from "../road.ts";
import { createSimulatedClock } from "../simulated-clock.ts";
import type { Traffic } from "../traffic.ts";
import { Witness } from "../witness.ts";
import type { Design, Load } from "./cell.ts";
import { Crowd } from "./crowd.ts";
import { namespace, servers, writtenTypes } from "./requests.ts";
import { SlowFlushes } from "./slow-flushes.ts";

export const gitDirectory = "/repos/history.git";
export const branch = "main";

const { documents } = decodeDocuments(
  `
apiVersion: kubescribe.dev/v1alpha1
kind: GitRepoConfig
metadata: {name: history, namespace: default}
spec: {url: "file://${gitDirectory}", branch: ${branch}}
---
apiVersion: kubescribe.dev/v1alpha1
kind: ClusterWatchRule
metadata: {name: all}
spec:
  repo: {name: history, namespace: default}
  rules: [{apiGroups: ["", apps], apiVersions: ["*"], resources: [configmaps, deployments], operations: [CREATE, UPDATE, DELETE]}]
`,
  "scoreboard.yaml",
);

const startMs = 15_000;
/** Longer than any wait between two attempts, and than a ref's lock of a process that died. */
const quietMs = 240_000;
const lookMs = 5;
const bookmarkMs = 7_000;
const denials = 0.08;
const meanCutMs = 8_000;
const meanStallMs = 10_000;
const longestStallMs = 2_000;
const meanKillMs = 15_000;
const untold: Traffic = {
  era: 0,
  refused: () => undefined,
  listed: () => undefined,
  streamed: () => undefined,
  delivered: () => undefined,
};

export interface ArenaOptions {
  readonly load: Load;
  /** Null: nobody listens, and nobody watches. */
  readonly design: Design | null;
  /** Microseconds of the machine that plays, for how long a review keeps its thread. */
  readonly nowUs: () => number;
}

export class Arena {
  readonly disk: Disk;
  readonly truth: Truth;
  readonly crowd: Crowd;
  /** How long each review kept the thread. */
  readonly webhookUs: number[] = [];
  readonly #options: ArenaOptions;
  readonly #clock = createSimulatedClock();
  readonly #dice: Dice;
  readonly #meter = new HighWaterMeter();
  readonly #network: Network;
  readonly #machine: Machine | null;
  #calm = false;

  constructor(options: ArenaOptions) {
    this.#options = options;
    const { load, design } = options;
    const clock = this.#clock;
    this.#dice = diceOf(load.seed ^ 0x7f4a);
    this.disk = new Disk(clock);
    const cluster = clusterOf(load, () => Math.floor(clock.nowMs()));
    const [ways, machine] = [this.#dice.fork(), this.#dice.fork()];
    const road = new Road<ApiCall, HttpResponse>();
    this.#network = new Network({ cluster, clock, dice: ways, road, bookmarkMs, old: false, traffic: untold });
    this.#machine = design === null ? null : this.#machineOf(design, machine);
    this.truth = new Truth(cluster, () => clock.monotonicMs());
    const { truth } = this;
    this.crowd = new Crowd({ load, clock, cluster, truth, review: (body) => this.#review(body) });
  }

  /** Changes that waited for Git at once. */
  get longestQueue(): number {
    return this.#meter.highest("queue_depth");
  }

  /** From the start until everything has come to rest. Throws if it does not. */
  async play(): Promise<void> {
    for (const path of ["/data", "/repos"]) await this.disk.files.makeDirectory(path);
    await this.disk.files.syncDirectory("/");
    this.#machine?.start();
    await this.#clock.run(startMs);
    void this.crowd.come();
    if (this.#options.load.conditions === "faulty") this.#trouble();
    while (!this.crowd.done || !this.crowd.idle) await this.#look();
    this.#calm = true;
    this.crowd.calm();
    await this.#clock.until(this.#machine?.supervise() ?? Promise.resolve());
    const unready = this.#machine?.unready() ?? [];
    if (unready.length > 0) throw new Error(`kubescribe never got ready again: ${unready.join(", ")}`);
    await this.#clock.run(quietMs);
  }

  async #look(): Promise<void> {
    await this.#clock.run(lookMs);
    this.#meter.look();
  }

  #review(body: Uint8Array): Promise<unknown> | null {
    const { nowUs } = this.#options;
    const begin = nowUs();
    const answer = this.#machine?.process?.receive({ method: "POST", url: "/correlate?timeout=3s", body }) ?? null;
    if (answer !== null) this.webhookUs.push(nowUs() - begin);
    return answer;
  }

  #machineOf(design: Design, dice: Dice): Machine {
    const clock = this.#clock;
    return new Machine({
      clock,
      dice,
      disk: this.disk,
      network: this.#network,
      flushes: new SlowFlushes(clock),
      log: new Witness(clock, false),
      plan: { options: optionsOf(design), documents },
      meter: this.#meter,
      sights: [],
      losesPower: false,
      befell: () => undefined,
    });
  }

  /** Each kind of fault has its times from a stream of its own: they are the same for each design. */
  #trouble(): void {
    const often = (meanMs: number, strike: (dice: Dice) => void): void => {
      const dice = this.#dice.fork();
      const again = (): void => {
        this.#clock.after(dice.next() * 2 * meanMs, () => {
          if (this.#calm) return;
          strike(dice);
          again();
        });
      };
      again();
    };
    often(meanCutMs, () => this.#network.cut());
    often(meanStallMs, (dice) => this.#network.stall(dice.below(longestStallMs)));
    often(meanKillMs, () => {
      if (this.#machine?.process !== null) this.#machine?.kill();
    });
  }
}

function clusterOf({ seed, conditions }: Load, nowMs: () => number): SimulatedCluster {
  const dice = diceOf(seed ^ 0x3c1d);
  const refusing = dice.fork();
  const cluster = new SimulatedCluster({
    clock: { nowMs },
    random: dice.fork().next,
    servers,
    historyCapacityEvents: 1_000_000,
  });
  const user = { name: "admin", groups: ["system:masters"] };
  const base = { user, namespace: "", name: "", subresource: "", fieldManager: "kubectl", userAgent: "kubectl" };
  const body = { metadata: { name: namespace } };
  writeNow(cluster, { ...base, verb: "create", type: NAMESPACES, body, dryRun: false });
  // As a policy engine behind our webhook says it, or a quota.
  cluster.setPolicy(() => (conditions !== "ideal" && refusing.chance(denials) ? "a policy" : null));
  return cluster;
}

function optionsOf(design: Design): RunOptions {
  return engineOptions([
    ["--ingestion", design === "dual" ? "dual" : "correlate"],
    ["--attribution", design === "fifo" ? "fifo" : "exact"],
  ]);
}

/** What the rules name. */
export const watchedTypes: readonly string[] = writtenTypes.map(({ key }) => key);
