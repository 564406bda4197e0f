/**
 * Holds the history against what was persisted. Knows nothing of the engine: recorded events, markers, the audit log and what
 * the git binary says are all it looks at.
 *
 * 1. Every persisted change is one commit, with its content, at its path; nothing else is a commit.
 * 2. Commits of a type are in the order of its watch.
 * 3. A settled author made the change; a tie has whoever made it among its candidates.
 */

import type { Commit } from "../e2e/history.ts";
import type { AuditTruth } from "./audit-truth.ts";
import type { Persisted } from "./persisted.ts";
import type { WrittenFile } from "./written-files.ts";

export interface CheckInput {
  /** By type key, in watch order. */
  readonly persisted: ReadonlyMap<string, readonly Persisted[]>;
  readonly commits: readonly Commit[];
  readonly written: ReadonlyMap<string, readonly WrittenFile[]>;
  readonly audit: AuditTruth;
  /** Whether kubescribe was killed while this was made, or had not committed it when it was killed. */
  readonly blind: (change: Persisted, commitIndex: number) => boolean;
}

/** A change whose author is in doubt. */
export interface Doubt {
  readonly change: Persisted;
  readonly line: string;
}

export interface Findings {
  readonly changes: number;
  readonly commits: number;
  readonly byTier: ReadonlyMap<string, number>;
  /** Each list says what is wrong, one line for each case. */
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly unreal: readonly string[];
  readonly disordered: readonly string[];
  readonly unfaithful: readonly string[];
  readonly wrong: readonly Doubt[];
  readonly wrongTies: readonly Doubt[];
  readonly unexplained: readonly Doubt[];
  readonly explained: readonly Doubt[];
  /** Changes made while kubescribe was killed, and how many of them nobody is named for. */
  readonly blindChanges: number;
  readonly blindUnresolved: number;
  /** Outside of blind times. */
  readonly ties: number;
  /** Ties whose first candidate may have been the one. */
  readonly tiesRight: number;
  readonly seeingChanges: number;
  readonly seeingNamed: number;
}

const settledTiers = new Set(["exact", "scale", "delete", "content", "recovered"]);

export function check(input: CheckInput): Findings {
  const { expected, base } = expectedOf(input);
  const made = new Map<string, { readonly commit: Commit; readonly index: number }[]>();
  const changes = [...input.commits.entries()].filter(([, commit]) => commit.kind === "");
  for (const [index, commit] of changes) {
    const key = keyOf(commit);
    made.set(key, [...(made.get(key) ?? []), { commit, index }]);
  }
  const judge = new Judge(input);
  for (const [key, change] of expected) {
    const [found] = made.get(key) ?? [];
    if (found === undefined) judge.lost.push(said(change));
    else judge.judge(change, found.commit, found.index);
  }
  const unreal = changes.filter(([, commit]) => !expected.has(keyOf(commit))).map(([, commit]) => saidOf(commit));
  const doubled = [...made]
    .filter(([, commits]) => commits.length > 1)
    .map(([key, commits]) => `${commits.length} × ${key}`);
  return {
    ...judge.findings(),
    changes: expected.size,
    commits: changes.length,
    doubled,
    unreal: base === null ? ["there is no snapshot commit"] : unreal,
    disordered: disorderedOf(changes.map(([, commit]) => commit)),
  };
}

/** What comes after the snapshot, type by type. */
function expectedOf({ persisted, commits }: CheckInput): {
  readonly expected: ReadonlyMap<string, Persisted>;
  readonly base: ReadonlyMap<string, bigint> | null;
} {
  const snapshots = commits.filter(({ kind }) => kind === "snapshot");
  const base = new Map<string, bigint>();
  for (const cursor of snapshots.flatMap(({ trailers }) => trailers.get("Kubescribe-Cursor") ?? [])) {
    const [, version = "0", typeKey = ""] = cursor.split(" ");
    if (!base.has(typeKey)) base.set(typeKey, BigInt(version));
  }
  const expected = new Map<string, Persisted>();
  for (const [typeKey, events] of persisted) {
    const from = base.get(typeKey) ?? 0n;
    for (const event of events) {
      if (event.operation !== null && BigInt(event.resourceVersion) > from) expected.set(keyOf(event), event);
    }
  }
  return { expected, base: snapshots.length === 0 ? null : base };
}

class Judge {
  readonly lost: string[] = [];
  readonly #input: CheckInput;
  readonly #byTier = new Map<string, number>();
  readonly #lists = {
    unfaithful: [] as string[],
    wrong: [] as Doubt[],
    wrongTies: [] as Doubt[],
    unexplained: [] as Doubt[],
    explained: [] as Doubt[],
  };
  readonly #counts = { blindChanges: 0, blindUnresolved: 0, ties: 0, tiesRight: 0, seeingChanges: 0, seeingNamed: 0 };

  constructor(input: CheckInput) {
    this.#input = input;
  }

  judge(change: Persisted, commit: Commit, index: number): void {
    const { tier, user, candidates } = commit;
    this.#byTier.set(tier, (this.#byTier.get(tier) ?? 0) + 1);
    this.#judgeContent(change, commit);
    const truth = this.#truthOf(change);
    const line = `${said(change)}: ${saidOf(commit)}; it was ${[...truth].join(" or ") || "nobody"}`;
    const blind = this.#input.blind(change, index);
    const settled = settledTiers.has(tier);
    if (settled && !truth.has(user)) this.#lists.wrong.push({ change, line });
    if (tier === "tie" && !candidates.some((candidate) => truth.has(candidate)))
      this.#lists.wrongTies.push({ change, line });
    const named = settled || tier === "tie";
    if (blind) {
      this.#counts.blindChanges += 1;
      if (!named) this.#counts.blindUnresolved += 1;
      return;
    }
    this.#counts.seeingChanges += 1;
    if (named) this.#counts.seeingNamed += 1;
    else if (this.#isExplained(change)) this.#lists.explained.push({ change, line });
    else this.#lists.unexplained.push({ change, line });
    if (tier !== "tie") return;
    this.#counts.ties += 1;
    if (truth.has(user)) this.#counts.tiesRight += 1;
  }

  findings(): Omit<Findings, "changes" | "commits" | "doubled" | "unreal" | "disordered"> {
    return { byTier: this.#byTier, lost: this.lost, ...this.#lists, ...this.#counts };
  }

  #judgeContent(change: Persisted, commit: Commit): void {
    const files = this.#input.written.get(commit.sha) ?? [];
    const [file] = files;
    const status = { CREATE: "A", UPDATE: "M", DELETE: "D", "": "" }[change.operation ?? ""];
    const right =
      files.length === 1 &&
      file?.status === status &&
      file.path === change.path &&
      (status === "D" || file.blob === change.blob) &&
      commit.operation === change.operation;
    if (!right)
      this.#lists.unfaithful.push(
        `${said(change)}: ${saidOf(commit)} wrote ${files.map((each) => `${each.status} ${each.path} ${each.blob.slice(0, 8)}`).join(", ")}; ` +
          `expected ${status} ${change.path} ${change.blob.slice(0, 8)}`,
      );
  }

  #truthOf(change: Persisted): ReadonlySet<string> {
    const { audit } = this.#input;
    if (change.operation === "DELETE") return audit.deletersOf(change);
    return change.writers.length > 0 ? new Set(change.writers) : audit.writersOf(change);
  }

  /** K39: the deletion of a new incarnation by the release of the one before it; nobody asked for it. */
  #isExplained(change: Persisted): boolean {
    const { audit } = this.#input;
    return change.operation === "DELETE" && !change.terminating && audit.released(change);
  }
}

/** resourceVersions rise with each commit of a type: that is the order of its watch. */
function disorderedOf(commits: readonly Commit[]): readonly string[] {
  const last = new Map<string, bigint>();
  const disordered: string[] = [];
  for (const commit of commits) {
    const [type = ""] = commit.resource.split(" ");
    const version = BigInt(commit.resourceVersion);
    if (version <= (last.get(type) ?? -1n)) disordered.push(`${saidOf(commit)} after ${last.get(type)}`);
    last.set(type, version);
  }
  return disordered;
}

function keyOf({ uid, resourceVersion }: { readonly uid: string; readonly resourceVersion: string }): string {
  return `${uid} ${resourceVersion}`;
}

function said({ operation, resource, namespace, name, uid, resourceVersion, seenAtMs }: Persisted): string {
  return `${operation} ${resource} ${namespace}/${name} ${uid} @${resourceVersion} seen ${new Date(seenAtMs).toISOString()}`;
}

function saidOf({ sha, operation, tier, user, candidates, resource, resourceVersion }: Commit): string {
  const who = tier === "tie" || tier === "collapsed" ? ` of ${candidates.join(", ")}` : "";
  return `commit ${sha.slice(0, 10)} ${operation} ${resource} @${resourceVersion} ${tier} ${user}${who}`;
}
