/** The same operations on the model and on a real API server, one after the other: the same statuses, reviews and events. */

import type { JsonObject } from "../../src/simulator/json.ts";
import type { SeededRandom } from "../storm/random.ts";
import { drawOperation } from "./draw-operation.ts";
import { Normaliser } from "./normalise.ts";
import type { HttpRequest, Operation } from "./operation.ts";
import type { Side } from "./side.ts";

/** How often an action was done, and how it ended. */
export interface Count {
  operations: number;
  /** 2xx. */
  successes: number;
  events: number;
  reviews: number;
  /** 2xx, not a dry run, and no event. */
  noops: number;
  /** One object, reviewed more than once. */
  repeats: number;
  readonly refusals: Map<number, number>;
}

export interface Difference {
  readonly number: number;
  readonly operation: string;
  readonly model: Seen;
  readonly real: Seen;
}

interface Seen {
  readonly status: number;
  readonly reviews: readonly string[];
  readonly events: readonly string[];
}

export class Comparison {
  readonly counts = new Map<string, Count>();
  readonly #model: Compared;
  readonly #real: Compared;

  constructor(model: Side, real: Side) {
    this.#model = new Compared(model);
    this.#real = new Compared(real);
  }

  /** Ends with the first difference: what follows would only be its consequence. */
  async run(random: SeededRandom, operations: number): Promise<Difference | null> {
    for (let number = 1; number <= operations; number += 1) {
      const operation = drawOperation(random);
      const model = await this.#model.perform(operation, 0);
      const real = await this.#real.perform(operation, model?.seen.events.length ?? 0);
      if (model === null && real === null) continue;
      if (model === null || real === null || JSON.stringify(model.seen) !== JSON.stringify(real.seen)) {
        const request = model?.request ?? real?.request;
        const { kind, user, action } = operation;
        return {
          number,
          operation: `${action} of a ${kind.kind} by ${user}: ${JSON.stringify(request)}`,
          model: model?.seen ?? NOTHING,
          real: real?.seen ?? NOTHING,
        };
      }
      this.#count(operation, model);
    }
    return null;
  }

  #count({ action }: Operation, { seen, request }: Performed): void {
    const none = {
      operations: 0,
      successes: 0,
      events: 0,
      reviews: 0,
      noops: 0,
      repeats: 0,
      refusals: new Map<number, number>(),
    };
    const count = this.counts.get(action) ?? none;
    this.counts.set(action, count);
    const success = seen.status < 300;
    if (action !== "delete all" && seen.reviews.length > 1) count.repeats += 1;
    const dry = JSON.stringify(request).includes("dryRun");
    count.operations += 1;
    count.reviews += seen.reviews.length;
    count.events += seen.events.length;
    if (success) count.successes += 1;
    else count.refusals.set(seen.status, (count.refusals.get(seen.status) ?? 0) + 1);
    if (success && !dry && seen.events.length === 0) count.noops += 1;
  }
}

interface Performed {
  readonly request: HttpRequest;
  readonly seen: Seen;
}

const NOTHING: Seen = { status: 0, reviews: [], events: [] };

/** One side, and what is remembered of it. */
class Compared {
  readonly #side: Side;
  readonly #normaliser = new Normaliser();
  readonly #older = new Map<string, JsonObject>();

  constructor(side: Side) {
    this.#side = side;
  }

  /** Null: there was nothing to do it to. */
  async perform(operation: Operation, atLeast: number): Promise<Performed | null> {
    const { reads, make, user } = operation;
    const current = reads === "" ? null : await this.#side.read(reads);
    const request = make({ current, older: this.#older.get(reads) ?? null });
    if (current !== null) this.#older.set(reads, current);
    if (request === null) return null;
    const status = await this.#side.send(user, request);
    const raw = await this.#side.takeEvents(atLeast);
    const reviewed = this.#side.takeReviews();
    // Bases are of before the events. The order of generated names, and with it of a deletecollection, is chance.
    const keyOf = (text: string): string => this.#normaliser.review(text);
    const sorted = (texts: readonly string[]): readonly string[] =>
      operation.action === "delete all" ? texts.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)) : texts;
    const reviews = sorted(reviewed).map(keyOf);
    const events = sorted(raw).map((frame) => this.#normaliser.event(frame));
    return { request, seen: { status, reviews, events } };
  }
}
