/** The reviews that reached kubescribe, answered in time or not, and the times in which it took any. Fills itself from attempts. */

import type { JsonObject } from "../../simulator/json.ts";
import { objectAt, stringAt } from "../../simulator/json.ts";
import type { Attempt } from "../../simulator/review.ts";
import { appendTo, countUpTo } from "./chronicle.ts";
import { contentOf, keyOf, replicasOf } from "./truth.ts";

export interface TakenReview {
  readonly user: string;
  readonly uid: string;
  /** Type, namespace and name. */
  readonly object: string;
  /** resourceVersion of `oldObject`; 0 for a creation. */
  readonly base: number;
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly subresource: string;
  /** As of a true write; empty for a deletion. */
  readonly content: string;
  /** It asks for what is there. */
  readonly changesNothing: boolean;
  /** That a scale asks for. */
  readonly replicas: number | null;
  readonly atMs: number;
  readonly wallMs: number;
  /** How many came before it, of all and of its object. */
  readonly before: number;
  readonly beforeOfObject: number;
}

/** When reviews were taken without a break, monotonic. */
interface Sight {
  readonly sinceMs: number;
  untilMs: number;
}

interface Incarnation {
  readonly uid: string;
  readonly byBase: Map<number, TakenReview[]>;
}

export class ReviewRecord {
  readonly #all: TakenReview[] = [];
  /** By uid. */
  readonly #incarnations = new Map<string, Incarnation>();
  readonly #byObject = new Map<string, TakenReview[]>();
  readonly #sights: Sight[] = [];

  /** At the time, or never: a process that takes it in may be another one than the API server's request began with. */
  took(attempt: Attempt, { atMs, wallMs }: { readonly atMs: number; readonly wallMs: number }): void {
    if (attempt.dryRun) return;
    const what = reviewOf(attempt);
    const ofObject = this.ofObject(what.object);
    const incarnation = this.#incarnations.get(what.uid) ?? { uid: what.uid, byBase: new Map() };
    this.#incarnations.set(what.uid, incarnation);
    const review: TakenReview = {
      ...what,
      // There are many reviews of one object: they share its text.
      uid: incarnation.uid,
      object: ofObject[0]?.object ?? what.object,
      atMs,
      wallMs,
      before: this.#all.length,
      beforeOfObject: ofObject.length,
    };
    this.#all.push(review);
    appendTo(incarnation.byBase, review.base, review);
    appendTo(this.#byObject, review.object, review);
  }

  began(atMs: number): void {
    this.ended(atMs);
    this.#sights.push({ sinceMs: atMs, untilMs: Number.POSITIVE_INFINITY });
  }

  ended(atMs: number): void {
    const last = this.#sights.at(-1);
    if (last !== undefined) last.untilMs = Math.min(last.untilMs, atMs);
  }

  /** Those that compare with the same version of one incarnation (K6); 0 for its creation. */
  onBase({ uid, base }: { readonly uid: string; readonly base: number }): readonly TakenReview[] {
    return this.#incarnations.get(uid)?.byBase.get(base) ?? [];
  }

  /** Of one incarnation. */
  ofUid(uid: string): readonly TakenReview[] {
    return this.#incarnations.get(uid)?.byBase.values().toArray().flat() ?? [];
  }

  ofObject(object: string): readonly TakenReview[] {
    return this.#byObject.get(object) ?? [];
  }

  /** How many of the object, or of all, came after this one and up to `untilMs`. */
  behind(review: TakenReview, untilMs: number): { readonly ofObject: number; readonly ofAll: number } {
    return {
      ofObject: countUpTo(this.ofObject(review.object), untilMs) - review.beforeOfObject - 1,
      ofAll: countUpTo(this.#all, untilMs) - review.before - 1,
    };
  }

  /** Since when the process that took it had been looking. */
  sightSinceMs({ atMs }: Pick<TakenReview, "atMs">): number {
    const sight = this.#sights.find(({ sinceMs, untilMs }) => sinceMs <= atMs && atMs <= untilMs);
    return sight?.sinceMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Some time from `fromMs` to `untilMs` nobody was looking. */
  blind(fromMs: number, untilMs: number): boolean {
    return !this.#sights.some((sight) => sight.sinceMs <= fromMs && untilMs <= sight.untilMs);
  }
}

function reviewOf(attempt: Attempt): Omit<TakenReview, "atMs" | "wallMs" | "before" | "beforeOfObject"> {
  const { user, operation, subresource, type } = attempt;
  const old = parsed(attempt.oldObject);
  const object = old === null || subresource === "scale" ? parsed(attempt.object) : null;
  const content = attempt.object === null ? "" : contentOf(attempt.object);
  const metadata = objectAt(old ?? object ?? {}, "metadata");
  const namespace = stringAt(metadata, "namespace");
  return {
    user: user.name,
    uid: stringAt(metadata, "uid"),
    object: keyOf({ typeKey: type.key, namespace, name: stringAt(metadata, "name") }),
    base: Number(stringAt(objectAt(old ?? {}, "metadata"), "resourceVersion")),
    operation,
    subresource,
    changesNothing: content !== "" && attempt.oldObject !== null && contentOf(attempt.oldObject) === content,
    content,
    replicas: subresource === "scale" && object !== null ? replicasOf(object) : null,
  };
}

/** No number that is looked at here is so large that it must keep its text. */
function parsed(text: string | null): JsonObject | null {
  return text === null ? null : (JSON.parse(text) as JsonObject);
}
