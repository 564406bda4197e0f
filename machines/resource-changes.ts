/**
 * What each message does to the context of a resource, and which effects come of it. Pure; resource.ts says when.
 *
 * 1. Every event retires the correlations that can no longer win; they are dropped once, with a reason.
 * 2. A change leaves only for a difference that a commit could show; a status write moves the chain and nothing else.
 */
import type { Horizon, Known, SameContent } from "./attribution.ts";
import {
  attributeCreation,
  attributeDeletion,
  attributeGap,
  attributeGapDeletion,
  attributeUpdate,
  isNeutral,
  reconsider,
} from "./attribution.ts";
import type {
  Change,
  Correlation,
  Cursor,
  Operation,
  ResourceType,
  ResourceVersion,
  Uid,
  Verdict,
  WatchEvent,
} from "./messages.ts";
import { compareCursors, compareResourceVersions } from "./messages.ts";
import type { Pending, PendingCorrelation, Sifted } from "./pending.ts";
import { append, nothingPending, overlook, remove, retire } from "./pending.ts";

/** Why a correlation is no longer pending. */
export type DropReason = "retired" | "stale" | "noop" | "evicted" | "expired" | "epoch" | "fault";

export type ResourceEffect =
  | { readonly kind: "commit"; readonly change: Change }
  /** Evidence (K37) reordered the candidates of the last change. */
  | {
      readonly kind: "amend";
      readonly uid: Uid;
      readonly resourceVersion: ResourceVersion;
      readonly verdict: Verdict;
    }
  | {
      readonly kind: "drop";
      readonly correlations: readonly Correlation[];
      readonly reason: DropReason;
    };

export interface ResourceContext {
  readonly known: Known | null;
  readonly epoch: number;
  readonly pending: Pending;
  /** The verdict of the last change while it is a tie and nothing followed it. */
  readonly tie: Verdict | null;
  readonly effects: readonly ResourceEffect[];
}

export const blankResource: ResourceContext = {
  known: null,
  epoch: 0,
  pending: nothingPending,
  tie: null,
  effects: [],
};

export interface Observed {
  readonly type: "observed";
  readonly event: WatchEvent;
  readonly epoch: number;
  readonly horizon: Horizon;
  readonly sameContent: SameContent;
}

/** A list shows the resource; `unbroken` as in WatchMessage. */
export interface Listed {
  readonly type: "listed";
  readonly event: WatchEvent;
  readonly epoch: number;
  readonly unbroken: boolean;
}

/** A complete list after a gap does not show it. */
export interface Missing {
  readonly type: "missing";
  readonly resource: ResourceType;
  readonly namespace: string;
  readonly name: string;
  readonly cursor: Cursor;
  readonly atMs: number;
}

export interface Correlated {
  readonly type: "correlated";
  readonly entry: PendingCorrelation;
  /** Pending correlations of one resource; beyond it the oldest go. */
  readonly capacity: number;
}

/** A bound or the TTL takes one correlation out. */
export interface Removed {
  readonly type: "removed";
  readonly arrival: number;
  readonly why: "evicted" | "expired";
}

/** Others may have been there beside this one, who are not known: what would be settled on its base is a tie of those that are left. */
export interface Doubted {
  readonly type: "doubted";
  readonly correlation: Correlation;
}

/** What an earlier process knew; of use only where a gap follows. */
export interface Remembered {
  readonly type: "remembered";
  readonly known: Known;
  readonly epoch: number;
  readonly terminating: boolean;
}

export type ResourceEvent = Correlated | Removed | Doubted | Observed | Listed | Missing | Remembered;

export function isRepeat(context: ResourceContext, shown: Observed | Listed): boolean {
  const { known, epoch } = context;
  // The exact state at the cursor is where the chain begins, whatever an earlier process had seen beyond it.
  if (known === null || (shown.type === "listed" && shown.unbroken)) return false;
  const { resourceVersion } = shown.event;
  return (
    compareCursors({ epoch: shown.epoch, resourceVersion }, { epoch, resourceVersion: known.resourceVersion }) <= 0
  );
}

/** A review: kept while it can still win; one that changes nothing bears witness and is dropped. */
export function correlate(context: ResourceContext, { entry, capacity }: Correlated): ResourceContext {
  const { correlation } = entry;
  const drop = (reason: DropReason, ...others: readonly ResourceEffect[]): ResourceContext => ({
    ...context,
    effects: [...others, { kind: "drop", correlations: [correlation], reason }],
  });
  if (isStale(context.known, correlation)) return drop("stale");
  if (correlation.unchanged && !mayWriteZero(context.known, correlation)) {
    const { known, tie } = context;
    if (known === null || tie === null || correlation.uid !== known.uid || correlation.base !== known.resourceVersion)
      return drop("noop");
    const verdict = reconsider(tie, correlation);
    if (verdict === tie) return drop("noop");
    const { uid, resourceVersion } = known;
    return { ...drop("noop", { kind: "amend", uid, resourceVersion, verdict }), tie: verdict };
  }
  const sifted = append(context.pending, entry, capacity);
  return { ...context, pending: sifted.pending, effects: drops(sifted, "evicted") };
}

export function doubt(context: ResourceContext, { correlation }: Doubted): ResourceContext {
  const stale = isStale(context.known, correlation);
  return { ...context, pending: stale ? context.pending : overlook(context.pending, correlation), effects: [] };
}

/** A Scale shows 0 for a number that is absent (K40): it looks as if it changed nothing, and writes the 0. */
function mayWriteZero(known: Known | null, { subresource, replicas, uid, base }: Correlation): boolean {
  if (subresource !== "scale" || replicas !== 0) return false;
  const onKnown = known?.uid === uid && known.resourceVersion === base;
  return !onKnown || known.replicas === null;
}

export function withdraw(context: ResourceContext, { arrival, why }: Removed): ResourceContext {
  const sifted = remove(context.pending, arrival, why);
  return { ...context, pending: sifted.pending, effects: drops(sifted, why) };
}

export function remember(context: ResourceContext, { known, epoch }: Remembered): ResourceContext {
  return { ...context, known, epoch, effects: [] };
}

/** A resource that was not there before, or that nobody here knew of. */
export function create(context: ResourceContext, shown: Observed | Listed): ResourceContext {
  if (shown.type === "listed" && shown.unbroken) return move(context, shown);
  const { event } = shown;
  if (shown.type === "observed" && event.kind === "ADDED")
    return step(context, shown, [changeOf(shown, "CREATE", attributeCreation({ ...shown, pending: context.pending }))]);
  const { known } = context;
  const pending = pendingIn(context, shown.epoch);
  const born =
    known !== null ||
    pending.fifo.some(({ correlation }) => correlation.operation === "CREATE" && correlation.uid === event.uid);
  const verdict = attributeGap(null, { event, pending });
  return step(context, shown, [changeOf(shown, born ? "CREATE" : "UPDATE", verdict)]);
}

/** A live resource is shown again. Another uid is a deletion that was missed, and a creation. */
export function update(context: ResourceContext, shown: Observed | Listed): ResourceContext {
  const { known } = context;
  if (known === null || (shown.type === "listed" && shown.unbroken)) return create(context, shown);
  const pending = pendingIn(context, shown.epoch);
  const { event } = shown;
  if (known.uid !== event.uid) {
    const created = create(context, shown);
    // In a stream DELETED comes first; a list leaves it out.
    if (shown.type === "observed") return created;
    const deletion = changeOf(shown, "DELETE", attributeGapDeletion(known.uid, pending));
    return { ...created, effects: [commit({ ...deletion, uid: known.uid }), ...created.effects] };
  }
  if (isNeutral(known, event)) return step(context, shown, []);
  const gap = shown.type === "listed" || shown.epoch !== context.epoch;
  if (!gap) return step(context, shown, [changeOf(shown, "UPDATE", attributeUpdate(known, { ...shown, pending }))]);
  const since: Cursor = { epoch: context.epoch, resourceVersion: known.resourceVersion };
  const change = changeOf(shown, "UPDATE", attributeGap(known, { event, pending }));
  return step(context, shown, [{ ...change, since }]);
}

/** A deletion: `deletionTimestamp` was set, or the object is gone without it. */
export function end(context: ResourceContext, shown: Observed | Listed): ResourceContext {
  const { known } = context;
  const pending = pendingIn(context, shown.epoch);
  if (shown.type === "listed" && shown.unbroken) return move(context, shown);
  const provable = shown.type === "observed" && known?.uid === shown.event.uid && shown.epoch === context.epoch;
  const verdict = provable
    ? attributeDeletion(known, { ...shown, pending })
    : attributeGapDeletion(shown.event.uid, pending);
  const deletion = changeOf(shown, "DELETE", verdict);
  const unseen = known !== null && known.uid !== shown.event.uid;
  const earlier = unseen ? { ...deletion, uid: known.uid, verdict: attributeGapDeletion(known.uid, pending) } : null;
  return step(context, shown, earlier === null ? [deletion] : [earlier]);
}

/** The chain goes on; there is nothing to commit. */
export function move(context: ResourceContext, shown: Observed | Listed): ResourceContext {
  return step(context, shown, []);
}

export function miss(context: ResourceContext, missing: Missing): ResourceContext {
  const { known } = context;
  const pending = pendingIn(context, missing.cursor.epoch);
  if (known === null) return { ...context, effects: [] };
  const change: Change = {
    type: missing.resource,
    namespace: missing.namespace,
    name: missing.name,
    uid: known.uid,
    resourceVersion: missing.cursor.resourceVersion,
    epoch: missing.cursor.epoch,
    operation: "DELETE",
    verdict: attributeGapDeletion(known.uid, pending),
    bytes: new Uint8Array(),
    observedAtMs: missing.atMs,
  };
  return leave(context, known, missing.cursor, [commit(change)]);
}

/**
 * What was gone is still missing. A restored backup's epoch begins for it here, not with the next incarnation: none of those who could
 * be taken for its writers come back, and who is reviewed from now on has seen what the backup made of it.
 */
export function stay(context: ResourceContext, { cursor }: Missing): ResourceContext {
  const { known } = context;
  if (known === null || cursor.epoch === context.epoch) return { ...context, effects: [] };
  return leave(context, known, cursor, []);
}

function leave(
  { pending }: ResourceContext,
  known: Known,
  { epoch, resourceVersion }: Cursor,
  effects: readonly ResourceEffect[],
): ResourceContext {
  const sifted = retire(pending, known.uid, resourceVersion, true);
  return {
    known: { ...known, resourceVersion },
    epoch,
    pending: sifted.pending,
    tie: null,
    effects: [...effects, ...drops(sifted, "retired")],
  };
}

function step(context: ResourceContext, shown: Observed | Listed, changes: readonly Change[]): ResourceContext {
  const { event, epoch } = shown;
  const { uid, resourceVersion, objectHash, restHash, replicas } = event;
  const restored = context.known !== null && epoch !== context.epoch;
  const sifted: Sifted = restored
    ? { pending: nothingPending, dropped: context.pending.fifo.map((each) => each.correlation) }
    : retire(context.pending, uid, resourceVersion, event.kind === "DELETED");
  const last = changes.at(-1)?.verdict;
  return {
    known: { uid, resourceVersion, objectHash, restHash, replicas },
    epoch,
    pending: sifted.pending,
    tie: last?.tier === "tie" ? last : null,
    effects: [...changes.map(commit), ...drops(sifted, restored ? "epoch" : "retired")],
  };
}

/** A restored backup undid what was asked for before it: nobody of that time made what is different now. */
function pendingIn({ known, epoch, pending }: ResourceContext, shownEpoch: number): Pending {
  return known !== null && shownEpoch !== epoch ? nothingPending : pending;
}

function isStale(known: Known | null, { uid, base, operation }: Correlation): boolean {
  if (known === null) return false;
  return base === ""
    ? operation === "CREATE" && uid === known.uid
    : compareResourceVersions(base, known.resourceVersion) < 0;
}

/** What a shown resource comes to, by a verdict. */
export function changeOf({ event, epoch }: Observed | Listed, operation: Operation, verdict: Verdict): Change {
  const { type, namespace, name, uid, resourceVersion, bytes, atMs } = event;
  return {
    type,
    namespace,
    name,
    uid,
    resourceVersion,
    epoch,
    operation,
    verdict,
    bytes,
    observedAtMs: atMs,
  };
}

function commit(change: Change): ResourceEffect {
  return { kind: "commit", change };
}

function drops({ dropped }: Sifted, reason: DropReason): readonly ResourceEffect[] {
  return dropped.length === 0 ? [] : [{ kind: "drop", correlations: dropped, reason }];
}
