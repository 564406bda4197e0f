/**
 * What a detached branch makes of a list after a gap: the API server's history no longer reaches back to the branch's
 * position, so the changes between it and the list are one difference for each resource. The verdict log still knows writers.
 */

import {
  compareCursors,
  type Actor,
  type Change,
  type Cursor,
  type Operation,
  type Uid,
  type Verdict,
  type WatchEvent,
  type WatchMessage,
} from "./messages.ts";
import type { LoggedChange } from "./branch-verdict-log.ts";
import { covers, cursorOf } from "./cursor.ts";

export interface Gap {
  readonly listed: Extract<WatchMessage, { readonly kind: "listed" }>;
  /** How far the branch had come. */
  readonly position: Cursor;
  /** What the log has of the type, up to the list. */
  readonly logged: readonly LoggedChange[];
  /** Nothing between position and list is missing in the log; never across a restore. */
  readonly complete: boolean;
}

/** Nobody has the bytes of what is gone any more: an empty JSON object stands for them. */
export function gapChanges(gap: Gap): readonly Change[] {
  const byUid = new Map<Uid, LoggedChange[]>();
  for (const change of gap.logged) {
    // A restore undid what was written before it: its writers made none of these differences.
    if (change.epoch !== gap.listed.epoch) continue;
    const known = byUid.get(change.uid);
    if (known === undefined) byUid.set(change.uid, [change]);
    else known.push(change);
  }
  const changes: Change[] = [];
  for (const item of gap.listed.items) {
    const known = byUid.get(item.uid) ?? [];
    byUid.delete(item.uid);
    const change = itemChange(gap, item, known);
    if (change !== null) changes.push(change);
  }
  for (const known of byUid.values()) {
    const deletion = known.find((change) => change.operation === "DELETE");
    if (deletion !== undefined) changes.push({ ...deletion, bytes: emptyObject });
  }
  return withEnds(changes);
}

/**
 * The changes of a relist, and an update for each item above the branch's position that they leave out: the actors may have it
 * from the disk, as an earlier process saw it, which ended before it was committed. The commit worker drops what changes nothing.
 */
export function relistChanges(
  relist: { readonly cursor: Cursor; readonly items: readonly WatchEvent[]; readonly changes: readonly Change[] },
  position: Cursor,
): readonly Change[] {
  const { cursor, items, changes } = relist;
  const told = new Set(changes.map(({ uid }) => uid));
  const untold: Change[] = [];
  for (const item of items) {
    const { resourceVersion, terminating, uid } = item;
    const at: Cursor = { epoch: cursor.epoch, resourceVersion };
    if (terminating || told.has(uid) || compareCursors(at, position) <= 0) continue;
    untold.push(updateOf(item, cursor.epoch));
  }
  return withEnds([...changes.map((change) => asOf(position, change)), ...untold]);
}

/**
 * A creation whose writer is known was not in Git yet; but what stood under its name before may be, where an earlier process saw it end
 * and was gone before that was committed. So its end comes first: a commit only where there is a file, by nobody, like that of a
 * leftover. A creation without an author may have been committed, and followed by what is seen now.
 */
function withEnds(changes: readonly Change[]): readonly Change[] {
  const ended = new Set(changes.flatMap((change) => (change.operation === "DELETE" ? [placeOf(change)] : [])));
  const unseen = changes.filter(
    (change) => change.operation === "CREATE" && change.verdict.author !== null && !ended.has(placeOf(change)),
  );
  return inOrder([...changes, ...unseen.map(endBefore)]);
}

/**
 * The actors may have known more than the branch has: then the difference is larger here than the one that the verdict is about, and
 * others had a part in it.
 */
function asOf(position: Cursor, change: Change): Change {
  const { verdict, since } = change;
  if (verdict.tier !== "recovered" || since === undefined || covers(position, since)) return change;
  return { ...change, verdict: collapsed([change]) };
}

function placeOf({ namespace, name }: Change): string {
  return `${namespace}/${name}`;
}

function endBefore(creation: Change): Change {
  const uid = "unknown" as Uid;
  return { ...creation, uid, operation: "DELETE", verdict: unresolved(), bytes: new Uint8Array() };
}

function updateOf(item: WatchEvent, epoch: number): Change {
  const { type, namespace, name, uid, resourceVersion, bytes, atMs } = item;
  const verdict = unresolved();
  return {
    type,
    namespace,
    name,
    uid,
    resourceVersion,
    epoch,
    operation: "UPDATE",
    verdict,
    bytes,
    observedAtMs: atMs,
  };
}

/** `{}` */
const emptyObject = Uint8Array.of(0x7b, 0x7d);

/** Watch order (I4). One event can tell of two incarnations of a name: the one that went stands before the one that came. */
function inOrder(changes: readonly Change[]): readonly Change[] {
  const ends = ({ operation }: Change): number => (operation === "DELETE" ? 0 : 1);
  return changes.toSorted((a, b) => compareCursors(cursorOf(a), cursorOf(b)) || ends(a) - ends(b));
}

export function unresolved(): Verdict {
  return { tier: "unresolved", author: null, candidates: [], causedBy: "", faulted: false };
}

function itemChange(gap: Gap, item: WatchEvent, known: readonly LoggedChange[]): Change | null {
  const cursor: Cursor = { epoch: gap.listed.epoch, resourceVersion: item.resourceVersion };
  if (compareCursors(cursor, gap.position) <= 0) return null;
  const [first] = known;
  if (first === undefined && gap.complete) return null;
  const deletion = known.find((change) => change.operation === "DELETE");
  if (deletion !== undefined) return { ...deletion, bytes: item.bytes };
  if (first !== undefined && known.length === 1 && gap.complete)
    return asOf(gap.position, { ...first, bytes: item.bytes });
  return {
    ...updateOf(item, gap.listed.epoch),
    operation: item.terminating ? "DELETE" : first?.operation === "CREATE" ? "CREATE" : "UPDATE",
    verdict: collapsed(known),
  };
}

function collapsed(known: readonly LoggedChange[]): Verdict {
  const candidates = new Map<string, Actor>();
  for (const { verdict } of known) {
    for (const actor of verdict.author === null ? verdict.candidates : [verdict.author, ...verdict.candidates]) {
      if (!candidates.has(actor.user)) candidates.set(actor.user, actor);
    }
  }
  if (candidates.size === 0) return unresolved();
  return { ...unresolved(), tier: "collapsed", candidates: [...candidates.values()] };
}

/** The meaning of an event whose verdict is not known: the first sight of a deletionTimestamp is the deletion (K33). */
export function plainMeaning(event: WatchEvent): Operation {
  if (event.kind === "DELETED" || event.terminating) return "DELETE";
  return event.kind === "ADDED" ? "CREATE" : "UPDATE";
}
