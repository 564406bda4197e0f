/** One field of the scoreboard: a load, a design, and what became of it. All of it can be written as JSON. */

/** `dual`: webhook and watch both enqueue; `fifo`: usernames by content; `exact`: this design. */
export type Design = "dual" | "fifo" | "exact";

export const designs = ["dual", "fifo", "exact"] as const satisfies readonly Design[];

/**
 * `ideal`: nothing is refused, every read is fresh, nobody uses `/scale` (of which the older designs know nothing). `usual`: a second webhook denies some of what ours allowed, and watch caches lag,
 * as in any cluster. `faulty`: reviews are lost, late and doubled as well, watches are cut and stalled, kubescribe is killed; all that
 * was written can still be replayed.
 */
export type Conditions = "ideal" | "usual" | "faulty";

export interface Load {
  readonly seed: number;
  readonly users: number;
  /** Of objects of each kind: the fewer, the more contention. */
  readonly names: number;
  /** Requests that begin, per second of simulated time; conflicts that are tried again come on top. */
  readonly rate: number;
  /** Persisted changes after which nothing more is asked for. */
  readonly changes: number;
  readonly conditions: Conditions;
}

/** Counted from the outside: the cluster's truth against the branch as stock git shows it. The same for the same seed. */
export interface Counts {
  /** Writes that change a file. */
  readonly changes: number;
  /** Commits that say that they are a change. */
  readonly commits: number;
  /** For a write that had its commit already. */
  readonly duplicates: number;
  /** For something that was never written. */
  readonly phantoms: number;
  /** Changes without a commit. */
  readonly lost: number;
  /** Commits that name, as certain, somebody who did not do it. */
  readonly wrongAuthors: number;
  /** Of these: a deletion or a `/scale` whose own review never came, after another's of the same was refused. Nothing can tell (K50). */
  readonly planted: number;
  /** Commits by the right one whose difference holds more, or less, than that one's write. */
  readonly foreignLines: number;
  readonly ties: number;
  /** Of these: the first named is another than the writer, who is named as well. */
  readonly tiesMisordered: number;
  readonly unresolved: number;
  /** Files that are not as in the cluster when all is quiet. */
  readonly wrongFiles: number;
  /** Changes that waited for Git at once. */
  readonly longestQueue: number;
}

/** Of the machine that played it: differs from run to run. */
export interface Costs {
  /** Of the thread that played kubescribe and its world, above that of the same world without kubescribe. */
  readonly cpuMs: number;
  /** Median of the time that a review keeps the thread before its answer. */
  readonly webhookUs: number;
}

export interface Cell {
  readonly load: Load;
  readonly design: Design;
  readonly counts: Counts;
  readonly costs: Costs;
  /** Equal where the same users wrote the same. */
  readonly written: string;
}
