/**
 * Whether a trace of a real control plane is one that the model admits. Each line that comes out is something that it does not.
 *
 * 1. Order: the versions of a type rise; an object is added, modified, deleted, in this order; a name has one incarnation at a time.
 * 2. Every review is the one that the model would send for that request on the version that the review has as its base, after the
 *    reviews before it; and that version was there. Held against each other byte for byte, but for what differs by nature.
 * 3. Every event is what the model writes for some review, allowed and no dry run, whose base is the version before it. Without such
 *    a review it must be a removal: by name, by a request that emptied the finalizers of an earlier version or incarnation (K39); or
 *    by a DELETE that decided on an earlier version, which nothing held.
 * 4. Within one request only the first review may have an old base: each further one has a newer version, or the next incarnation.
 *    But a DELETE may have two steps, each of which begins with the watch cache, and a generated name may be taken.
 * 5. A request whose last attempt would write was answered with that write's version. One that was refused, or wrote nothing, had
 *    bases that somebody else replaced, or nothing to write: no write is lost, and none answered that did not happen.
 */

import { objectAt, parseJson, stringAt } from "../../src/simulator/json.ts";
import type { Attempted } from "./attempts.ts";
import { attemptsOf, mustWrite, normaliserOf, textOf, writesOf } from "./attempts.ts";
import type { Trace, TracedEvent, TracedRequest } from "./trace.ts";
import { nameOf, TraceHistory } from "./trace-history.ts";

export interface TraceFindings {
  readonly broken: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
}

export function checkTrace(trace: Trace): TraceFindings {
  return new TraceCheck(trace).run();
}

class TraceCheck {
  readonly #trace: Trace;
  readonly #history: TraceHistory;
  readonly #broken: string[];
  readonly #figures = {
    reviews: 0,
    stale: 0,
    repeated: 0,
    events: 0,
    "explained by a review": 0,
    "decided before": 0,
    "removed by name": 0,
  };
  readonly #onBase = new Map<TracedEvent, Attempted[]>();
  readonly #creations = new Map<string, Attempted>();
  readonly #releases: Attempted[] = [];
  /** What each event can be the work of. */
  readonly #authors = new Map<TracedEvent, readonly Attempted[]>();

  constructor(trace: Trace) {
    this.#trace = trace;
    this.#history = new TraceHistory(trace.events);
    this.#broken = [...this.#history.disorders];
  }

  run(): TraceFindings {
    const complain = (what: string): void => void this.#broken.push(what);
    const all = this.#trace.requests.map((request) => attemptsOf(request, this.#history, complain));
    for (const attempt of all.flat()) this.#keep(attempt);
    for (const event of this.#trace.events) if (event.name !== "last") this.#explain(event);
    for (const [index, request] of this.#trace.requests.entries()) this.#outcome(request, all[index] ?? []);
    return { broken: this.#broken, figures: { requests: this.#trace.requests.length, ...this.#figures } };
  }

  #keep(attempt: Attempted): void {
    const { operation, base, created, atMs, effective } = attempt;
    this.#figures.reviews += 1;
    if (base === null) this.#creations.set(created, attempt);
    else this.#onBase.set(base, [...(this.#onBase.get(base) ?? []), attempt]);
    const gone = writesOf(attempt).some((event) => event.startsWith(`{"type":"DELETED"`));
    if (operation === "UPDATE" && gone && effective) this.#releases.push(attempt);
    if (base !== null && (this.#history.after(base)?.seenAtMs ?? Infinity) < atMs) this.#figures.stale += 1;
  }

  #explain(event: TracedEvent): void {
    this.#figures.events += 1;
    const base = this.#history.before(event);
    const creation = this.#creations.get(event.uid);
    const attempts = base === null ? (creation === undefined ? [] : [creation]) : (this.#onBase.get(base) ?? []);
    const wanted = normaliserOf(base).review(event.frame);
    const fits = (frame: string): boolean => normaliserOf(base).review(frame) === wanted;
    const authors = attempts.filter((attempt) => attempt.effective && writesOf(attempt).some(fits));
    this.#authors.set(event, authors);
    if (authors.length > 0) this.#figures["explained by a review"] += 1;
    else if (event.kind === "DELETED" && this.#decidedBefore(event)) this.#figures["decided before"] += 1;
    else if (event.kind === "DELETED" && this.#releasedBefore(event)) this.#figures["removed by name"] += 1;
    else this.#broken.push(`nobody's: ${nameOf(event)}\n  ${event.frame}`);
  }

  /**
   * A DELETE reads the object, decides that nothing holds it, and removes what is there by then, finalizers or not: reviewed, but
   * where the version that it decided on was not yet reviewed no replay shows it.
   */
  #decidedBefore(event: TracedEvent): boolean {
    const base = this.#history.before(event);
    if (base === null) return false;
    const reviewed = (this.#onBase.get(base) ?? []).some((one) => one.effective && one.operation === "DELETE");
    const free = this.#trace.events.some(
      ({ uid, version, frame }) =>
        uid === event.uid && Number(version) < Number(base.version) && !frame.includes(`"finalizers"`),
    );
    return reviewed && free;
  }

  /** Somebody emptied the finalizers of something of that name, and the removal asks for no version. */
  #releasedBefore(event: TracedEvent): boolean {
    return this.#releases.some(
      ({ base, atMs }) =>
        base?.name === event.name &&
        base.type === event.type &&
        Number(base.version) < Number(event.version) &&
        atMs <= event.seenAtMs,
    );
  }

  #outcome(request: TracedRequest, attempts: readonly Attempted[]): void {
    for (const attempt of attempts) this.#settled(attempt);
    if (request.action === "delete all") return;
    const last = attempts.at(-1);
    if (last === undefined && request.status < 300 && request.reviews.length === 0) {
      this.#broken.push(`${textOf(request)}: without a review`);
    }
    if (last === undefined) return;
    this.#successive(attempts);
    if (!last.effective) return;
    if (request.status >= 300) this.#refused(request, last);
    else this.#answered(request, last);
  }

  /** What would have been written on the last version there is, was written. */
  #settled(attempt: Attempted): void {
    const { request, base, created } = attempt;
    if (!mustWrite(attempt)) return;
    const made = this.#history.wasSeen(created) || this.#history.wasTaken(askedName(request));
    const done = base === null ? made : this.#history.after(base) !== undefined;
    if (!done) {
      this.#broken.push(`lost: ${textOf(request)}, reviewed on ${base === null ? "nothing" : nameOf(base)}`);
    }
  }

  /** Of the reviews of one request only the first is of something old. */
  #successive(attempts: readonly Attempted[]): void {
    for (const [index, later] of attempts.entries()) {
      const earlier = attempts[index - 1];
      if (earlier === undefined) continue;
      this.#figures.repeated += 1;
      const again = later.operation === "DELETE" || (later.operation === "CREATE" && earlier.operation === "CREATE");
      const anew = later.operation === "CREATE" && this.#history.wasDeleted(earlier.uid);
      if (!again && !anew && Number(later.version) <= Number(earlier.version)) {
        this.#broken.push(`${textOf(later.request)}: reviewed on ${earlier.version}, then on ${later.version}`);
      }
    }
  }

  #refused(request: TracedRequest, { base, replayed }: Attempted): void {
    if (base === null) return;
    const successor = this.#history.after(base);
    const accepted = replayed.every(({ status }) => status < 300);
    if (accepted && successor === undefined) this.#broken.push(`${textOf(request)}: the model would not refuse it`);
    const authors = successor === undefined ? [] : (this.#authors.get(successor) ?? []);
    if (authors.length > 0 && authors.every((author) => author.request === request)) {
      this.#broken.push(`${textOf(request)}: refused, and yet it wrote`);
    }
  }

  #answered(request: TracedRequest, last: Attempted): void {
    const { status, version } = request;
    if (last.replayed.every((one) => one.status !== status)) {
      this.#broken.push(`${textOf(request)}: the model would answer otherwise`);
    }
    const removed = last.operation === "DELETE" || this.#releases.includes(last);
    if (version === "" || removed || !mustWrite(last)) return;
    const written = [...this.#authors].find(([event]) => event.version === version);
    if (written === undefined || !written[1].includes(last)) {
      this.#broken.push(`${textOf(request)}: answered with version ${version}, which it did not write`);
    }
  }
}

function askedName({ request }: TracedRequest): string {
  const given = stringAt(objectAt(parseJson(JSON.stringify(request.body ?? {})), "metadata"), "name");
  return given || (new URL(request.path, "https://localhost").pathname.split("/").at(-1) ?? "");
}
