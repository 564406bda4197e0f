/**
 * Who made a change: the rules of the verdicts `exact`, `scale`, `delete`, `tie`, `content`, `recovered`, `collapsed` and
 * `unresolved`. Pure: candidates and an event go in, a verdict comes out. K-numbers are facts about the API server.
 */
import type { Actor, Correlation, ObjectHash, ResourceVersion, Tier, Uid, Verdict, WatchEvent } from "./messages.ts";
import { compareResourceVersions, emptySpec } from "./messages.ts";
import type { Pending, PendingCorrelation } from "./pending.ts";

/** What is remembered of a resource's last event: the predecessor of the next. */
export interface Known {
  readonly uid: Uid;
  readonly resourceVersion: ResourceVersion;
  readonly objectHash: ObjectHash;
  readonly restHash: ObjectHash;
  readonly replicas: number | null;
}

/** How far what has no bytes to prove it (a DELETE, a Scale) may be trusted, on the monotonic clock. */
export interface Horizon {
  /** Candidates that arrived earlier are stale: 10 s beyond the measured lag, or before this process could see. */
  readonly freshSinceMs: number;
  /** The requests of candidates that arrived earlier were over when the event happened. */
  readonly openSinceMs: number;
  /** What speaks for candidates of an earlier process; null: nothing. */
  readonly witness: Witness | null;
}

/**
 * The newest base among the reviews that an earlier process took in. Who was reviewed on a version saw it persisted: an event up
 * to there happened before the time in which nobody was looking, however late it is read.
 */
export interface Witness {
  readonly base: ResourceVersion;
  /** Candidates that arrived earlier were stale when the witness arrived; wall clock. */
  readonly freshSinceMs: number;
}

/** Whether a candidate's object and the event's are equal once sanitized, managedFields included; false where the candidate's bytes are not kept. */
export type SameContent = (candidate: Correlation, event: WatchEvent) => boolean;

export interface Evidence {
  readonly event: WatchEvent;
  readonly pending: Pending;
  readonly horizon: Horizon;
  readonly sameContent: SameContent;
}

export const unresolved: Verdict = {
  tier: "unresolved",
  author: null,
  candidates: [],
  causedBy: "",
  faulted: false,
};

/** A creation: the uid is made by the request, so its only creator is proof (K9, K36). */
export function attributeCreation({ event, pending }: Evidence): Verdict {
  const creators = pending.fifo.filter(
    ({ correlation }) => correlation.operation === "CREATE" && correlation.uid === event.uid,
  );
  return decide("exact", creators, false);
}

/** An update of an unbroken chain: candidates share uid and base with it (K6), and the winner its bytes (K36). */
export function attributeUpdate(known: Known, evidence: Evidence): Verdict {
  const { event, pending } = evidence;
  const marked = isMarked(known, pending);
  const onBase = candidatesOn(known, pending).filter(({ correlation }) => correlation.operation === "UPDATE");
  const writers = onBase.filter(({ correlation }) => correlation.subresource !== "scale");

  const equal = writers.filter(({ correlation }) => correlation.objectHash === event.objectHash);
  if (equal.length > 0) return decide("exact", equal, marked);

  if (isNeutral(known, event)) return unresolved;
  // Absent is 0, in the Scale as in the object (K40).
  const number = isScaled(known, event) ? (event.replicas ?? 0) : null;
  const scales = ({ subresource, replicas }: Correlation): boolean =>
    subresource === "scale" && number !== null && replicas === number;
  // No bytes prove these, so they are held to what a deletion is held to: a denied attempt must not pick up a later write (K50).
  const fitting = unproven(
    onBase,
    ({ correlation }) =>
      scales(correlation) || (correlation.subresource !== "scale" && evidence.sameContent(correlation, event)),
    evidence,
  );
  const [first] = fitting;
  return decide(first !== undefined && scales(first.correlation) ? "scale" : "content", fitting, marked);
}

/** Nothing moved but status and the API server's own bookkeeping: never a commit. */
export function isNeutral(known: Known, event: WatchEvent): boolean {
  return event.restHash === known.restHash && event.replicas === known.replicas;
}

/** Nothing but the number moved. The first scale of an object without a spec makes one, and a 0 where there was no number. */
function isScaled(known: Known, event: WatchEvent): boolean {
  if (event.replicas === known.replicas || (event.replicas === null && known.replicas === 0)) return false;
  const bare = (hash: ObjectHash): string => (hash.endsWith(emptySpec) ? hash.slice(0, -emptySpec.length) : hash);
  return bare(event.restHash) === bare(known.restHash);
}

/** A deletion of an unbroken chain: nothing but freshness speaks for a candidate (K50). */
export function attributeDeletion(known: Known, evidence: Omit<Evidence, "sameContent">): Verdict {
  const { pending } = evidence;
  const deleters = unproven(
    candidatesOn(known, pending),
    ({ correlation }) => correlation.operation === "DELETE" && !isLateForEndpoints(correlation),
    evidence,
  );
  return decide("delete", deleters, isMarked(known, pending));
}

/** With and without --use-service-account-credentials. */
const endpointControllers = ["system:serviceaccount:kube-system:endpoint-controller", "system:kube-controller-manager"];

/**
 * The endpoint controller removes Endpoints whose Service is gone, and the API server does so itself, unreviewed, as the Service
 * goes (K39): the controller is mostly told 404, and its reviews look as if it had won.
 */
function isLateForEndpoints({ typeKey, user }: Correlation): boolean {
  return typeKey === "core/endpoints" && endpointControllers.includes(user);
}

/**
 * A difference found after a gap (K14). One known writer who made the whole of it is `recovered`; otherwise every known
 * writer is a candidate and nobody the author.
 */
export function attributeGap(known: Known | null, { event, pending }: Pick<Evidence, "event" | "pending">): Verdict {
  const same = known !== null && known.uid === event.uid;
  const writers = pending.fifo.filter(
    ({ correlation }) =>
      correlation.uid === event.uid &&
      correlation.operation !== "DELETE" &&
      (!same || compareResourceVersions(correlation.base, known.resourceVersion) >= 0),
  );
  const whole = writers.filter(
    ({ correlation }) =>
      correlation.objectHash === event.objectHash &&
      (same
        ? correlation.operation === "UPDATE" && correlation.base === known.resourceVersion
        : correlation.operation === "CREATE"),
  );
  // Whoever made the same bytes of what came in between may have written them, and he of `whole` have lost.
  const alike = distinctActors(writers.filter(({ correlation }) => correlation.objectHash === event.objectHash));
  const [sole] = distinctActors(whole);
  if (sole !== undefined && alike.length === 1 && !(same && isMarked(known, pending)))
    return { ...unresolved, tier: "recovered", author: sole };
  return collapsed(writers);
}

/** A deletion found after a gap: it cannot be proven, so those who asked for it are candidates only. */
export function attributeGapDeletion(uid: Uid, pending: Pending): Verdict {
  return collapsed(
    pending.fifo.filter(({ correlation }) => correlation.uid === uid && correlation.operation === "DELETE"),
  );
}

/**
 * Evidence on a tie (K37): a candidate whose request comes back on top of the change, now changing nothing, probably lost.
 * He moves to the end of the line; it stays a tie, since a winner who repeats himself looks the same.
 */
export function reconsider(verdict: Verdict, noop: Correlation): Verdict {
  const loser = verdict.candidates.find((candidate) => candidate.user === noop.user);
  if (verdict.tier !== "tie" || loser === undefined || verdict.candidates.length < 2) return verdict;
  const others = verdict.candidates.filter((candidate) => candidate !== loser);
  const [first] = others;
  if (first === undefined) return verdict;
  return { ...verdict, author: first, candidates: [...others, loser] };
}

/** One user: settled in `tier`, unless an evicted entry might have fitted too. Several: a tie, FIFO's first ahead (K37). */
function decide(tier: Tier, fitting: readonly PendingCorrelation[], marked: boolean): Verdict {
  const actors = distinctActors(fitting);
  const [first] = actors;
  if (first === undefined) return unresolved;
  if (actors.length === 1 && !marked) return { ...unresolved, tier, author: first };
  return { ...unresolved, tier: "tie", author: first, candidates: actors };
}

function collapsed(writers: readonly PendingCorrelation[]): Verdict {
  const candidates = distinctActors(writers);
  return candidates.length === 0 ? unresolved : { ...unresolved, tier: "collapsed", candidates };
}

function candidatesOn(known: Known, pending: Pending): readonly PendingCorrelation[] {
  return pending.fifo.filter(
    ({ correlation }) => correlation.uid === known.uid && correlation.base === known.resourceVersion,
  );
}

function isMarked(known: Known, pending: Pending): boolean {
  return compareResourceVersions(pending.markedThrough, known.resourceVersion) >= 0;
}

/**
 * Those whom nothing but freshness speaks for. Who asked earlier may still have written, as long as his request can take: alone he
 * counts for nothing, but beside him nobody is certain. He stands behind the fresh ones.
 */
function unproven(
  candidates: readonly PendingCorrelation[],
  fits: (candidate: PendingCorrelation) => boolean,
  evidence: Pick<Evidence, "event" | "horizon">,
): readonly PendingCorrelation[] {
  const fresh = candidates.filter((candidate) => isFresh(candidate, evidence) && fits(candidate));
  if (fresh.length === 0) return fresh;
  const open = candidates.filter(
    (candidate) =>
      candidate.sinceMs >= evidence.horizon.openSinceMs && !isFresh(candidate, evidence) && fits(candidate),
  );
  return [...fresh, ...open];
}

function isFresh(
  { correlation, sinceMs }: PendingCorrelation,
  { event, horizon }: Pick<Evidence, "event" | "horizon">,
): boolean {
  if (!correlation.restored) return sinceMs >= horizon.freshSinceMs;
  const { witness } = horizon;
  return (
    witness !== null &&
    compareResourceVersions(event.resourceVersion, witness.base) <= 0 &&
    correlation.atMs >= witness.freshSinceMs
  );
}

/** One per username ("one user" means one username), each by his first review, in FIFO order. */
function distinctActors(fitting: readonly PendingCorrelation[]): readonly Actor[] {
  const byUser = new Map<string, Actor>();
  for (const { correlation } of fitting) {
    if (!byUser.has(correlation.user)) byUser.set(correlation.user, actorOf(correlation));
  }
  return [...byUser.values()];
}

export function actorOf({ user, claims, fieldManager, subresource, atMs }: Correlation): Actor {
  return { user, claims, fieldManager, subresource, atMs };
}
