/**
 * What the API server told the watches, type by type: which events reached kubescribe and when, and where the order of a type was broken
 * because what it asked for was no longer to be had. The network fills it in.
 *
 * 1. A gap begins behind the position that was refused (410, 504), and ends with the newest list from which a stream then went on.
 * 2. A restored backup begins a gap in every type: what was written since, up to that list, may be seen as one difference.
 */

import { appendTo, countUpTo } from "./chronicle.ts";

export interface Gap {
  readonly typeKey: string;
  readonly era: number;
  /** Nothing up to here was missed. */
  after: number;
  /** Revisions of complete lists since; the last one is where the gap ends. */
  readonly lists: number[];
  /** When a stream went on; infinite while none did. */
  untilMs: number;
  readonly restored: boolean;
  readonly sinceWallMs: number;
}

export interface Delivery {
  readonly typeKey: string;
  readonly era: number;
  readonly revision: number;
  readonly atMs: number;
  readonly wallMs: number;
}

export interface Deliveries {
  readonly first: Delivery;
  readonly last: Delivery;
}

export interface Times {
  readonly monotonicMs: () => number;
  readonly nowMs: () => number;
}

/** One that was refused at the same time, of a target that catches up, may take its list later. */
const otherWatchMs = 60_000;

export function spans({ after, lists }: Gap, revision: number): boolean {
  return after < revision && lists.some((listed) => revision <= listed);
}

export class WatchRecord {
  readonly #times: Times;
  readonly #gaps = new Map<string, Gap[]>();
  /** Of each type, in order. */
  readonly #refusals = new Map<string, { readonly position: number; readonly atMs: number }[]>();
  readonly #deliveries: Delivery[] = [];
  readonly #listings: Delivery[] = [];
  /** Of each era, by revision. */
  readonly #eras = [new Map<number, { readonly first: Delivery; last: Delivery }>()];
  #era = 0;

  constructor(times: Times) {
    this.#times = times;
  }

  /** A list or a watch at this position was answered with 410 or 504. */
  refused(typeKey: string, position: number): void {
    const atMs = this.#times.monotonicMs();
    appendTo(this.#refusals, typeKey, { position, atMs });
    const open = this.#openGap(typeKey);
    if (open !== null) open.after = Math.min(open.after, position);
    else {
      // The gap that another watch was refused in may have ended for this one alone: the other one's list is still to come.
      const recent = (this.#refusals.get(typeKey) ?? []).filter((each) => each.atMs >= atMs - otherWatchMs);
      this.#refusals.set(typeKey, recent);
      this.#begin(typeKey, { after: Math.min(...recent.map((each) => each.position)), restored: false });
    }
  }

  get era(): number {
    return this.#era;
  }

  /** A whole list of the latest state was answered; of an earlier era where the stream that it came by began before a restore. */
  listed(typeKey: string, revision: number, era = this.#era): void {
    const { monotonicMs, nowMs } = this.#times;
    this.#listings.push({ typeKey, era, revision, atMs: monotonicMs(), wallMs: nowMs() });
    if (era !== this.#era) return;
    const last = this.#gaps.get(typeKey)?.at(-1);
    if (last !== undefined && this.#times.monotonicMs() <= last.untilMs + otherWatchMs) last.lists.push(revision);
  }

  /** A watch was begun behind this position. */
  streamed(typeKey: string, position: number): void {
    const open = this.#openGap(typeKey);
    if (open === null || open.lists.every((revision) => revision > position)) return;
    open.untilMs = this.#times.monotonicMs();
  }

  /** An event was read to its end; `era` as for a list. */
  delivered(typeKey: string, revision: number, era = this.#era): void {
    const { monotonicMs, nowMs } = this.#times;
    const delivery = { typeKey, era, revision, atMs: monotonicMs(), wallMs: nowMs() };
    this.#deliveries.push(delivery);
    const known = this.#eras[era]?.get(revision);
    if (known === undefined) this.#eras[era]?.set(revision, { first: delivery, last: delivery });
    else known.last = delivery;
  }

  restored(era: number, types: Iterable<string>): void {
    this.#era = era;
    this.#refusals.clear();
    this.#eras[era] = new Map();
    for (const typeKey of types) {
      const open = this.#openGap(typeKey);
      if (open !== null) open.untilMs = Number.NEGATIVE_INFINITY;
      this.#begin(typeKey, { after: 0, restored: true });
    }
  }

  gapsOf(typeKey: string): readonly Gap[] {
    return this.#gaps.get(typeKey) ?? [];
  }

  /** The gaps in which a write of that era and revision may have been missed. */
  gapsAt({ typeKey, era, revision }: { typeKey: string; era: number; revision: number }): readonly Gap[] {
    return this.gapsOf(typeKey).filter((gap) => gap.era === era && spans(gap, revision));
  }

  /** The first and the last time that an event was read: again by a later process, or to catch up. Null: never. */
  deliveryOf(write: { readonly era: number; readonly revision: number }): Deliveries | null {
    return this.#eras[write.era]?.get(write.revision) ?? null;
  }

  /** Whether anybody was told of it before a restore could undo it: by its event, or by a list. */
  hasRead({ typeKey, era, revision }: Pick<Delivery, "typeKey" | "era" | "revision">): boolean {
    if (this.deliveryOf({ era, revision }) !== null) return true;
    return this.#listings.some((each) => each.typeKey === typeKey && each.era === era && each.revision >= revision);
  }

  /** In which era a whole list of that revision was answered last; null: none was. */
  eraOfList(typeKey: string, revision: number): number | null {
    return this.#listings.findLast((each) => each.typeKey === typeKey && each.revision === revision)?.era ?? null;
  }

  /** Events that were read after a time and up to another. */
  between(fromMs: number, untilMs: number): readonly Delivery[] {
    return this.#deliveries.slice(countUpTo(this.#deliveries, fromMs), countUpTo(this.#deliveries, untilMs));
  }

  /**
   * What was read after one time (monotonic) and before another (wall clock) was as many changes or more: an event is one, a list as many
   * as `listed` says of its type.
   */
  hasReadMore(
    count: number,
    span: { readonly sinceMs: number; readonly untilWallMs: number },
    listed: (typeKey: string) => number,
  ): boolean {
    let read = 0;
    const isWithin = ({ wallMs }: { readonly wallMs: number }): boolean => wallMs <= span.untilWallMs;
    for (let at = countUpTo(this.#listings, span.sinceMs); at < this.#listings.length && read < count; at += 1) {
      const listing = this.#listings[at];
      if (listing !== undefined && isWithin(listing)) read += listed(listing.typeKey);
    }
    for (let at = countUpTo(this.#deliveries, span.sinceMs); at < this.#deliveries.length && read < count; at += 1) {
      const delivery = this.#deliveries[at];
      if (delivery !== undefined && isWithin(delivery)) read += 1;
    }
    return read >= count;
  }

  #openGap(typeKey: string): Gap | null {
    const last = this.#gaps.get(typeKey)?.at(-1);
    return last?.untilMs === Number.POSITIVE_INFINITY ? last : null;
  }

  #begin(typeKey: string, { after, restored }: { after: number; restored: boolean }): void {
    const gap = {
      typeKey,
      era: this.#era,
      after,
      lists: [],
      untilMs: Number.POSITIVE_INFINITY,
      restored,
      sinceWallMs: this.#times.nowMs(),
    };
    appendTo(this.#gaps, typeKey, gap);
  }
}
