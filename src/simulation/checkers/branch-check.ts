/**
 * Holds a branch against what really happened. Each line that comes out is a broken invariant. Knows nothing of kubescribe but the
 * contract: paths, trailers, sanitized content.
 */

import { createHash } from "node:crypto";

import { manifestOf } from "../../sanitize/manifest.ts";
import { objectAt } from "../../simulator/json.ts";
import { textOf } from "../../simulator/rendered.ts";
import type { Rendered } from "../../simulator/rendered.ts";
import type { SimulatedType } from "../../simulator/resource-types.ts";
import type { CommittedFile, HistoryCommit } from "./git-reader.ts";
import { isTerminating } from "./truth.ts";
import type { Truth, TrueWrite } from "./truth.ts";

export interface CheckedTarget {
  readonly prefix: string;
  readonly selects: (type: SimulatedType, namespace: string, labels: Readonly<Record<string, unknown>>) => boolean;
}

export interface Circumstances {
  readonly truth: Truth;
  readonly types: readonly SimulatedType[];
  /** Some changes may be in one difference: the history window was lost, a backup restored. */
  readonly gaps: boolean;
  /** Every write that was answered must be named: no bound evicted, no review was late or lost. */
  readonly allNamed: boolean;
  /** The process that lived when this was written had taken a review of that user for the same resource. */
  readonly sawReview: (user: string, write: TrueWrite) => boolean;
  /** Bounds evict reviews, or the journal cannot keep them: a tie may have lost one of its candidates. */
  readonly forgetful: boolean;
  /** There were times in which nobody was looking: what has no bytes to prove it may be unresolved. */
  readonly blind: boolean;
}

export interface Findings {
  readonly broken: string[];
  readonly tiers: Map<string, number>;
  /** Settled by another's review while the writer's own never came: what no rule can tell (K50). */
  planted: number;
  changes: number;
}

const settled = new Set(["exact", "scale", "delete", "content", "recovered"]);

export class BranchCheck {
  readonly findings: Findings = { broken: [], tiers: new Map(), planted: 0, changes: 0 };
  readonly #target: CheckedTarget;
  readonly #around: Circumstances;
  readonly #types: ReadonlyMap<string, SimulatedType>;
  readonly #ids = new WeakMap<Rendered, string>();
  readonly #told = new Set<TrueWrite>();
  readonly #seen = new Set<string>();
  readonly #last = new Map<string, readonly [epoch: number, version: number]>();
  readonly #snapshots = new Map<string, number>();
  readonly #tree = new Map<string, string>();

  constructor(target: CheckedTarget, around: Circumstances) {
    this.#target = target;
    this.#around = around;
    this.#types = new Map(around.types.map((type) => [type.key, type]));
  }

  /** The next commit of the branch; those that touch no file of the target's are none of its business. */
  see(commit: HistoryCommit): void {
    const files = commit.files.filter(({ path }) => path.startsWith(this.#target.prefix));
    if (files.length > 0) this.#commit(commit, files);
    for (const { path, after } of files) {
      if (after === "") this.#tree.delete(path);
      else this.#tree.set(path, after);
    }
  }

  end(): Findings {
    if (!this.#around.gaps) this.#nothingLost();
    this.#faithful();
    return this.findings;
  }

  #commit(commit: HistoryCommit, files: readonly CommittedFile[]): void {
    const first = (key: string): string => trailerOf(commit, key);
    if (first("Kubescribe-Kind") === "snapshot") {
      for (const line of commit.trailers.get("Kubescribe-Cursor") ?? []) {
        const [, version = "", key = ""] = line.split(" ");
        this.#snapshots.set(key, Number(version));
      }
      return;
    }
    if (first("Kubescribe-Kind") !== "") return this.#break(commit, "a commit of a kind that nobody gave cause for");
    this.findings.changes += 1;
    const tier = first("Kubescribe-Attribution");
    this.findings.tiers.set(tier, (this.findings.tiers.get(tier) ?? 0) + 1);
    const uid = first("Kubescribe-Uid");
    const version = first("Kubescribe-Resource-Version");
    const epoch = Number(first("Kubescribe-Epoch"));
    this.#ordered(commit, { epoch, uid, version });
    if (uid === "unknown") {
      if (!this.#around.gaps) this.#break(commit, "a removal by nobody, without a gap");
      return;
    }
    // A restore may give one version twice: the file tells which of them it is, or else the author.
    const writes = this.#around.truth.find(uid, version);
    const fitting = writes.filter(({ event }) => this.#standsAt(this.#pathOf(event), files) === this.#after(event));
    const author = first("Changed-By");
    const write = fitting.find(({ event }) => event.authorship.user === author) ?? fitting[0] ?? writes[0];
    if (write === undefined || (write.operation !== first("Kubescribe-Operation") && this.#around.gaps))
      return this.#difference(commit, tier);
    if (write.operation !== first("Kubescribe-Operation"))
      this.#break(commit, `I2: the write was ${write.operation ?? "nothing to commit"}`);
    this.#told.add(write);
    this.#content(commit, files, write);
    this.#author(commit, write);
  }

  #ordered(commit: HistoryCommit, { epoch, uid, version }: { epoch: number; uid: string; version: string }): void {
    const identity = `${epoch}/${uid}/${version}`;
    if (uid !== "unknown" && this.#seen.has(identity)) this.#break(commit, "I1: twice");
    this.#seen.add(identity);
    const [name = ""] = (commit.trailers.get("Kubescribe-Resource")?.[0] ?? "").split(" ");
    const [lastEpoch, lastVersion] = this.#last.get(name) ?? [0, 0];
    const back = epoch < lastEpoch || (epoch === lastEpoch && Number(version) < lastVersion);
    const same = epoch === lastEpoch && Number(version) === lastVersion;
    // A lease that expires deletes several objects in one revision.
    const together = trailerOf(commit, "Kubescribe-Operation") === "DELETE";
    if (back || (same && !this.#around.gaps && !together)) this.#break(commit, `I4: behind ${lastVersion}`);
    this.#last.set(name, [epoch, Number(version)]);
  }

  /** A difference after a gap: it names nobody as certain. */
  #difference(commit: HistoryCommit, tier: string): void {
    if (!this.#around.gaps) this.#break(commit, "I2: no such write");
    else if (settled.has(tier) && tier !== "recovered") this.#break(commit, "I2: settled, and no such write");
  }

  #content(commit: HistoryCommit, files: readonly CommittedFile[], { event, operation }: TrueWrite): void {
    const path = this.#pathOf(event);
    const tier = commit.trailers.get("Kubescribe-Attribution")?.[0] ?? "";
    const expected = this.#after(event);
    if (this.#standsAt(path, files) !== expected) this.#break(commit, `I5: another content at ${path}`);
    // Behind a gap: who removed an object removed what others had made of it, too; the bytes of `recovered` are its author's, but
    // others' may have come and gone in between.
    const whole = this.#around.gaps && (tier === "delete" || tier === "recovered");
    if (settled.has(tier) && !whole && (this.#tree.get(path) ?? "") !== this.#fileOf(event, event.previous))
      this.#break(commit, `I3: somebody else's lines are in it, at ${path}`);
    if (operation === "CREATE" && settled.has(tier) && this.#tree.has(path))
      this.#break(commit, `I2: it was not there before, and ${path} was`);
    for (const other of files) if (other.path !== path) this.#break(commit, `I3: it touches ${other.path}`);
  }

  #author(commit: HistoryCommit, write: TrueWrite): void {
    const tier = commit.trailers.get("Kubescribe-Attribution")?.[0] ?? "";
    const author = commit.trailers.get("Changed-By")?.[0] ?? "";
    const candidates = commit.trailers.get("Kubescribe-Candidate") ?? [];
    const { user, reviewed, subresource } = write.event.authorship;
    if (settled.has(tier) && author !== user) {
      const proven = tier !== "delete" && tier !== "scale";
      if (reviewed) this.#break(commit, `I3: ${tier} by ${author}, and it was ${user}`);
      else if (!proven && !this.#around.sawReview(author, write))
        this.#break(commit, `I3: ${tier} by ${author} across a blind time, and it was ${user}`);
      else this.findings.planted += 1;
    }
    if (tier === "tie" && reviewed && !this.#around.forgetful && !candidates.includes(user))
      this.#break(commit, `I3: a tie without ${user}, who did it`);
    const excused = this.#around.blind && (write.operation === "DELETE" || subresource === "scale");
    if ((tier === "unresolved" || tier === "collapsed") && reviewed && this.#around.allNamed && !excused)
      this.#break(commit, `I7: ${tier}, and ${user} was answered`);
  }

  #nothingLost(): void {
    for (const write of this.#around.truth.writes) {
      const { event } = write;
      if (event.revision <= (this.#snapshots.get(event.typeKey) ?? Infinity) || this.#told.has(write)) continue;
      const before = this.#fileOf(event, event.previous);
      if (before !== this.#after(event)) this.findings.broken.push(`I7: lost ${titleOf(write)}`);
    }
  }

  #faithful(): void {
    const expected = new Map<string, string>();
    const last = new Map<string, TrueWrite>();
    for (const write of this.#around.truth.live()) last.set(this.#pathOf(write.event), write);
    for (const [path, { event }] of last) {
      const id = this.#after(event);
      if (id !== "") expected.set(path, id);
    }
    for (const path of new Set([...expected.keys(), ...this.#tree.keys()])) {
      const [found, wanted] = [this.#tree.get(path), expected.get(path)];
      if (found !== wanted)
        this.findings.broken.push(`I5: at the end ${path} is ${found ?? "missing"}, not ${wanted ?? "missing"}`);
    }
  }

  /** The blob at a path behind a commit of these files. */
  #standsAt(path: string, files: readonly CommittedFile[]): string {
    return files.find((file) => file.path === path)?.after ?? this.#tree.get(path) ?? "";
  }

  #after(event: TrueWrite["event"]): string {
    return this.#fileOf(event, event.kind === "DELETED" ? null : event.content);
  }

  /** The blob that should stand for this state; empty for none. */
  #fileOf({ typeKey, namespace }: TrueWrite["event"], content: Rendered | null): string {
    const type = this.#types.get(typeKey);
    if (content === null || type === undefined || isTerminating(content)) return "";
    const labels = objectAt(objectAt(content.object, "metadata"), "labels");
    if (!this.#target.selects(type, namespace, labels)) return "";
    const known = this.#ids.get(content);
    if (known !== undefined) return known;
    const { yaml } = manifestOf(Buffer.from(textOf(content, 1)), { ...type, secrets: "omit" });
    const id = createHash("sha1").update(`blob ${yaml.length}\0`).update(yaml).digest("hex");
    this.#ids.set(content, id);
    return id;
  }

  #pathOf({ typeKey, namespace, name }: TrueWrite["event"]): string {
    return `${this.#target.prefix}${namespace === "" ? "_cluster" : namespace}/${typeKey}/${name}.yaml`;
  }

  #break(commit: HistoryCommit, what: string): void {
    const version = commit.trailers.get("Kubescribe-Resource-Version")?.[0] ?? "";
    const tier = commit.trailers.get("Kubescribe-Attribution")?.[0] ?? "";
    this.findings.broken.push(`${what} (${commit.subject} @${version} ${tier})`);
  }
}

function trailerOf({ trailers }: HistoryCommit, key: string): string {
  return trailers.get(key)?.[0] ?? "";
}

function titleOf({ event, operation }: TrueWrite): string {
  const { typeKey, namespace, name, revision, authorship } = event;
  return `${operation ?? "-"} ${typeKey} ${namespace}/${name} @${revision} by ${authorship.user}${authorship.reviewed ? "" : " (unreviewed)"}`;
}
