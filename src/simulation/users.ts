/** The users of the cluster. Owns who waits for an answer, and what somebody behind our review refuses. */

import type { Clock } from "../../actors/ports.ts";
import type { ReviewAnswer, SimulatedCluster, WriteRequest } from "../simulator/cluster.ts";
import type { Attempt } from "../simulator/review.ts";
import { write } from "../simulator/write.ts";
import type { Dice } from "./dice.ts";
import type { Crowd } from "./fault.ts";
import type { Reviews } from "./reviews.ts";
import { nextRequest, titleOf } from "./workload.ts";

export interface UsersOptions {
  readonly cluster: SimulatedCluster;
  readonly clock: Clock;
  readonly reviews: Reviews;
  readonly note: (line: string) => void;
  readonly befell: (fault: string, detail?: string) => void;
}

/** More than that wait for others. */
const atOnce = 12;
const refusals = 0.5;
const lags = 0.1;
const longestLagMs = 40;
const unheard: ReviewAnswer = { answered: false, allowed: true, message: "" };

export class Users implements Crowd {
  readonly #options: UsersOptions;
  #busy = 0;
  #requests = 0;
  #freed: (() => void)[] = [];
  #refusesAll = false;
  #refusing: { attempts: number; readonly dice: Dice } | null = null;

  constructor(options: UsersOptions) {
    this.#options = options;
    options.cluster.setPolicy(() => this.#refusal());
  }

  get requests(): number {
    return this.#requests;
  }

  /** The next request may begin. */
  get free(): boolean {
    return this.#busy < atOnce;
  }

  async freed(): Promise<void> {
    while (!this.free) await this.#next();
  }

  async idle(): Promise<void> {
    while (this.#busy > 0) await this.#next();
  }

  storm(requests: number, dice: Dice): void {
    for (let at = 0; at < requests; at += 1) void this.ask(dice.fork());
  }

  refuse(attempts: number, dice: Dice): void {
    this.#refusing = { attempts, dice };
  }

  /** From the request to the answer; `title` names what was asked for. */
  async ask(dice: Dice, title = ""): Promise<void> {
    const { cluster, reviews, note } = this.#options;
    const request = { ...nextRequest(cluster, dice), server: dice.below(cluster.servers.length) };
    if (dice.chance(lags)) this.#lag(request.server, dice);
    note(`${title}${titleOf(request)}`);
    await this.#write(request, (attempt) => reviews.ask(attempt, dice.fork()));
  }

  async act(
    request: WriteRequest,
    { reviewed, refused, dice }: { readonly reviewed: boolean; readonly refused: boolean; readonly dice: Dice },
  ): Promise<void> {
    const { reviews, note } = this.#options;
    note(`${titleOf(request)}${reviewed ? "" : " (unreviewed)"}${refused ? " (refused)" : ""}`);
    this.#refusesAll = refused;
    await this.#write(request, (attempt) => (reviewed ? reviews.ask(attempt, dice.fork()) : Promise.resolve(unheard)));
    this.#refusesAll = false;
  }

  async #write(request: WriteRequest, review: (attempt: Attempt) => Promise<ReviewAnswer>): Promise<void> {
    this.#busy += 1;
    this.#requests += 1;
    const run = write(this.#options.cluster, request);
    let step = run.next();
    while (step.done !== true) step = run.next(await review(step.value));
    this.#busy -= 1;
    const freed = this.#freed;
    this.#freed = [];
    for (const go of freed) go();
  }

  /** The watch cache of an API server stands still for a moment (K2). */
  #lag(server: number, dice: Dice): void {
    const { cluster, clock } = this.#options;
    const lagging = cluster.server({ server });
    lagging.hold();
    clock.after(dice.below(longestLagMs), () => lagging.catchUp());
  }

  #next(): Promise<void> {
    return new Promise((resolve) => this.#freed.push(resolve));
  }

  #refusal(): string | null {
    if (this.#refusesAll) return "a quota";
    const refusing = this.#refusing;
    if (refusing === null || refusing.attempts === 0) return null;
    refusing.attempts -= 1;
    if (!refusing.dice.chance(refusals)) return null;
    this.#options.befell("denials");
    return "a quota";
  }
}
