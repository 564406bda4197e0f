/** The reviews that reached kubescribe, answered in time or not, and the times in which it took any. Fills itself from attempts. */

import type { JsonObject } from "../../simulator/json.ts";
import { isObject, objectAt, parseJson, stringAt } from "../../simulator/json.ts";
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

export class ReviewRecord {
  readonly #all: TakenReview[] = [];
  /** By uid and base. */
  readonly #byBase = new Map<string, TakenReview[]>();
  readonly #byUid = new Map<string, TakenReview[]>();
  readonly #byObject = new Map<string, TakenReview[]>();
  readonly #sights: Sight[] = [];

  /** At the time, or never: a process that takes it in may be another one than the API server's request began with. */
  took(attempt: Attempt, { atMs, wallMs }: { readonly atMs: number; readonly wallMs: number }): void {
    if (attempt.dryRun) return;
    const what = reviewOf(attempt);
    const beforeOfObject = this.ofObject(what.object).length;
    const review = { ...what, atMs, wallMs, before: this.#all.length, beforeOfObject };
    this.#all.push(review);
    appendTo(this.#byBase, `${review.uid}/${review.base}`, review);
    appendTo(this.#byUid, review.uid, review);
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
    return this.#byBase.get(`${uid}/${base}`) ?? [];
  }

  /** Of one incarnation. */
  ofUid(uid: string): readonly TakenReview[] {
    return this.#byUid.get(uid) ?? [];
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

  /** Some time from `fromMs` to `untilMs` nobody was looking. */
  blind(fromMs: number, untilMs: number): boolean {
    return !this.#sights.some((sight) => sight.sinceMs <= fromMs && untilMs <= sight.untilMs);
  }
}

function reviewOf(attempt: Attempt): Omit<TakenReview, "atMs" | "wallMs" | "before" | "beforeOfObject"> {
  const { user, operation, subresource, type } = attempt;
  const object = parsed(attempt.object);
  const old = parsed(attempt.oldObject);
  const metadata = objectAt(old ?? object ?? {}, "metadata");
  const namespace = stringAt(metadata, "namespace");
  return {
    user: user.name,
    uid: stringAt(metadata, "uid"),
    object: keyOf({ typeKey: type.key, namespace, name: stringAt(metadata, "name") }),
    base: Number(stringAt(objectAt(old ?? {}, "metadata"), "resourceVersion")),
    operation,
    subresource,
    changesNothing:
      old !== null && object !== null && contentOf(attempt.oldObject ?? "") === contentOf(attempt.object ?? ""),
    content: attempt.object === null ? "" : contentOf(attempt.object),
    replicas: subresource === "scale" && object !== null ? replicasOf(object) : null,
  };
}

function parsed(text: string | null): JsonObject | null {
  const json = text === null ? null : parseJson(text);
  return isObject(json) ? json : null;
}
