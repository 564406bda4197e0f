/** A script played from the first byte of a review to the commits that Git holds in the end. */

import fc from "fast-check";
import { log as readLog, readBlob, resolveRef } from "isomorphic-git";
import { trailersOf } from "../../src/git/history.ts";
import { isomorphicFiles } from "../../src/git/isomorphic-files.ts";
import type { StoredEvent } from "../../src/simulator/store.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import { createSimulatedClock, settled } from "../../src/simulation/simulated-clock.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { operationOf, uidOf } from "./matcher-reference.ts";
import { answering, beginning, opening, PlayedCluster, type Answering, type Beginning } from "./played-cluster.ts";
import { PlayedNetwork } from "./played-network.ts";
import { startPlayed, type PlayedProcess } from "./played-process.ts";

export type Step =
  | Beginning
  | Answering
  | { readonly do: "show"; readonly bytes: number }
  | { readonly do: "wait"; readonly ms: number }
  /** The connection of the watch breaks; its last frame comes twice. */
  | { readonly do: "cut" | "repeat" }
  /** A call of the repository's files fails, so many calls from now. */
  | { readonly do: "fail"; readonly call: number; readonly how: "EIO" | "ENOSPC" }
  | { readonly do: "restart"; readonly how: "politely" | "killed" | "powerless" }
  /** In the middle of a flush: at so many calls of the repository's files from now. */
  | { readonly do: "crash"; readonly call: number; readonly how: "killed" | "powerless" }
  /** The API server forgets what is not read yet, and cuts. */
  | { readonly do: "compact" };

const some = <Name extends Step["do"]>(name: Name): fc.Arbitrary<{ readonly do: Name }> => fc.constant({ do: name });
/** What a watch can be asked for again. */
export const ordinarySteps: readonly fc.WeightedArbitrary<Step>[] = [
  { weight: 8, arbitrary: beginning },
  { weight: 10, arbitrary: answering },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("show" as const), bytes: fc.constantFrom(1, 300, 900, 5000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 20, 2_000) }) },
  { weight: 1, arbitrary: some("cut") },
  { weight: 1, arbitrary: some("repeat") },
];
const how = fc.constantFrom("politely" as const, "killed" as const, "powerless" as const);
/** What leaves no gap either. */
export const hardSteps: readonly fc.WeightedArbitrary<Step>[] = [
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("fail" as const),
      call: fc.nat({ max: 40 }),
      how: fc.constantFrom("EIO", "ENOSPC"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("crash" as const),
      call: fc.nat({ max: 40 }),
      how: fc.constantFrom("killed", "powerless"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const), how }) },
];
export const gapStep: fc.WeightedArbitrary<Step> = { weight: 1, arbitrary: some("compact") };

export interface PlayedCommit {
  readonly author: string;
  readonly message: string;
  readonly trailers: ReadonlyMap<string, readonly string[]>;
}

export class PlayedHistory {
  readonly clock = createSimulatedClock(1_767_323_045_678);
  readonly files = new MemoryFileSystem(this.clock);
  readonly log = new FakeLog();
  readonly cluster = new PlayedCluster(({ bytes, attempt, altered }) => {
    if (altered) this.altered.add(attempt.user.name);
    if (this.#process !== null) this.#answers.push(this.#process.handleReview(bytes));
  });
  /** Users whose reviews had other bytes than the watch. */
  readonly altered = new Set<string>();
  readonly #network = new PlayedNetwork(this.cluster.cluster, this.clock);
  readonly #meter = new FakeMeter();
  #process: PlayedProcess | null = null;
  #answers: Promise<string>[] = [];

  /** Plays the script behind the first list, and then everything to its end. */
  async play(script: readonly Step[]): Promise<void> {
    await this.#start();
    await this.#settle();
    for (const step of [...opening, ...script]) {
      await this.#step(step);
      await Promise.all(this.#answers);
      this.#answers = [];
      await settled();
    }
    this.cluster.finish();
    await Promise.all(this.#answers);
    this.files.inject({});
    await this.#settle();
    await this.#process?.stop();
  }

  /** From the oldest to the newest, as isomorphic-git reads them; none on a branch that was never begun. */
  async commits(): Promise<readonly PlayedCommit[]> {
    const commits = await found(readLog({ ...this.#repository, ref: "main" }));
    return (commits ?? []).toReversed().map(({ commit: { author, message } }) => {
      return { author: author.name, message, trailers: trailersOf(message) };
    });
  }

  /** The file at HEAD; null where there is none. */
  async file(): Promise<string | null> {
    const oid = await found(resolveRef({ ...this.#repository, ref: "main" }));
    if (oid === null) return null;
    const filepath = "clusters/prod/default/apps/deployments/a.yaml";
    const read = await found(readBlob({ ...this.#repository, oid, filepath }));
    return read === null ? null : Buffer.from(read.blob).toString();
  }

  get #repository() {
    return { fs: isomorphicFiles(this.files), gitdir: "/repo" };
  }

  /** What was persisted and is a change of the file, in order. */
  get writes(): readonly (StoredEvent & { readonly key: string })[] {
    return this.cluster.events.flatMap((event) => {
      const operation = operationOf(event);
      return operation === null
        ? []
        : [{ ...event, key: keyOf(uidOf(event.content.object), event.revision, operation) }];
    });
  }

  async #step(step: Step): Promise<void> {
    switch (step.do) {
      case "begin":
        return this.cluster.begin(step);
      case "answer":
        return this.cluster.answer(step);
      case "show":
        return this.#network.release(step.bytes);
      case "wait":
        this.cluster.pass(step.ms);
        return this.clock.run(step.ms);
      case "cut":
        return this.#network.cut();
      case "repeat":
        return this.#network.repeat();
      case "fail":
        return this.#fail(step.call, step.how);
      case "crash":
        this.#fail(step.call, "crash");
        this.#network.release(this.#network.heldBytes);
        await this.clock.run(20);
        return this.#restart(step.how);
      case "restart":
        return this.#restart(step.how);
      case "compact":
        this.cluster.cluster.store.compact(this.cluster.cluster.store.revision);
        return this.#network.cut();
      default:
        return step satisfies never;
    }
  }

  /** Once; what a journal that cannot be written loses is its own tests' business. */
  #fail(call: number, how: "EIO" | "ENOSPC" | "crash"): void {
    let left = call;
    this.files.inject({
      at: (_call, _name, path) => (path.startsWith("/repo") && left-- === 0 ? how : null),
    });
  }

  async #restart(how: "politely" | "killed" | "powerless"): Promise<void> {
    const process = this.#process;
    this.#process = null;
    if (how === "politely") await process?.stop();
    else process?.kill();
    this.#network.cut();
    this.files.restart(how === "powerless" ? "power" : "process");
    await this.#start();
  }

  async #start(): Promise<void> {
    this.#process = await startPlayed({
      clock: this.clock,
      files: this.files,
      network: this.#network,
      meter: this.#meter,
      log: this.log,
    });
  }

  /** Until the watch has shown everything and all of it is in Git. */
  async #settle(): Promise<void> {
    this.cluster.catchUp();
    for (let round = 0; round < 40; round += 1) {
      this.#network.release(this.#network.heldBytes);
      await this.clock.run(round < 5 ? 200 : 30_000);
      const process = this.#process;
      const newest = this.cluster.events.at(-1)?.revision ?? 0;
      const { resourceVersion = "0" } = process?.watch.cursor ?? {};
      const { queueDepth, state, supply } = process?.branch.status() ?? {};
      if (Number(resourceVersion) >= newest && queueDepth === 0 && state === "idle" && supply === "attached") return;
    }
    throw new Error(
      `it never came to rest: ${JSON.stringify(this.#process?.branch.status())} ${this.log.lines.join("\n")}`,
    );
  }
}

async function found<Value>(reading: Promise<Value>): Promise<Value | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && error.name === "NotFoundError") return null;
    throw error;
  }
}

function keyOf(uid: string, revision: number | string, operation: string): string {
  return `${operation} ${uid}@${revision}`;
}

/** Of a commit that is a change. */
export function keyIn({ trailers }: PlayedCommit): string | null {
  const first = (name: string): string => trailers.get(name)?.[0] ?? "";
  if (trailers.has("Kubescribe-Kind")) return null;
  const operation = first("Kubescribe-Operation");
  return keyOf(first("Kubescribe-Uid"), first("Kubescribe-Resource-Version"), operation);
}
