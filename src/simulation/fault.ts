/** What may befall a run, and the world that it happens to. */

import type { FlushResult, HttpResponse } from "../../actors/ports.ts";
import type { SimulatedCluster, WriteRequest } from "../simulator/cluster.ts";
import type { ApiCall, FlushCall, Review, ReviewOutcome } from "./calls.ts";
import type { Dice } from "./dice.ts";
import type { Disk } from "./disk.ts";
import type { Machine } from "./machine.ts";
import type { Network } from "./network.ts";
import type { Road } from "./road.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import type { PlacedTarget } from "./targets.ts";

/** A switch, by which something happens now and then. */
export interface Fault {
  readonly name: string;
  readonly help: string;
  /** Among the others: how often it comes. */
  readonly weight: number;
  /** Makes it happen, or lies in wait for an occasion; tells the world when it really happens. */
  readonly strike: (world: World, dice: Dice) => void | Promise<void>;
}

/** A switch, by which a run is another one from its beginning. */
export interface Setting {
  readonly name: string;
  readonly help: string;
  readonly strike: null;
}

export interface World {
  readonly clock: SimulatedClock;
  readonly cluster: SimulatedCluster;
  readonly network: Network;
  readonly disk: Disk;
  readonly machine: Machine;
  readonly reviews: Road<Review, ReviewOutcome>;
  readonly requests: Road<ApiCall, HttpResponse>;
  readonly flushes: Road<FlushCall, FlushResult>;
  readonly users: Crowd;
  readonly targets: ReadonlyMap<string, PlacedTarget>;
  /** No backup is older than the cluster's first namespaces. */
  readonly preparedRevision: number;
  /** A backup is put in the cluster's place. */
  restore(revision: number): void;
  /** Counts it, and notes it for whoever reads the trace. */
  befell(fault: string, detail?: string): void;
  /** A promise that was not kept. */
  broken(line: string): void;
  wait(ms: number): Promise<void>;
}

export interface Crowd {
  /** Several requests at once, which do not wait for each other. */
  storm(requests: number, dice: Dice): void;
  /** Resolves when nobody waits for an answer. */
  idle(): Promise<void>;
  /** One request, until it is answered; `refused`: by somebody behind our review. To be called while they are idle. */
  act(
    request: WriteRequest,
    how: { readonly reviewed: boolean; readonly refused: boolean; readonly dice: Dice },
  ): Promise<void>;
  /** Somebody behind our review refuses so many attempts of those that come, each by chance. */
  refuse(attempts: number, dice: Dice): void;
}
