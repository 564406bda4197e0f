/** A small cluster's true story, the record of what befell it, and the history that tells it as it was: for tests to falsify. */

import type { CommittedFile, HistoryCommit } from "../../../src/simulation/checkers/git-reader.ts";
import type { Circumstances, Limits } from "../../../src/simulation/checkers/circumstances.ts";
import { RefusalRecord } from "../../../src/simulation/checkers/refusals.ts";
import { SightRecord } from "../../../src/simulation/checkers/sights.ts";
import { ReviewRecord } from "../../../src/simulation/checkers/reviews.ts";
import { TargetFiles } from "../../../src/simulation/checkers/target-files.ts";
import { Truth, type TrueWrite } from "../../../src/simulation/checkers/truth.ts";
import { WatchRecord } from "../../../src/simulation/checkers/watches.ts";
import { SimulatedCluster, type WriteRequest } from "../../../src/simulator/cluster.ts";
import { BUILT_IN_TYPES, CONFIG_MAPS, DEPLOYMENTS } from "../../../src/simulator/resource-types.ts";
import { write } from "../../../src/simulator/write.ts";

export const target = { prefix: "all/", selects: () => true };
export const types = BUILT_IN_TYPES;
const bootMs = 1_700_000_000_000;
const clusterUid = "c1";

export interface Deed {
  readonly user: string;
  readonly verb: WriteRequest["verb"];
  readonly name: string;
  readonly body?: WriteRequest["body"];
  readonly type?: WriteRequest["type"];
  readonly subresource?: string;
  /** Lost: the review never arrives. Unheard: it arrives, and its answer does not. */
  readonly review?: "answered" | "lost" | "unheard";
  /** Another plugin refuses it, after the review. */
  readonly denied?: boolean;
  /** The watch does not show it. */
  readonly unseen?: boolean;
}

export class Story {
  readonly cluster: SimulatedCluster;
  readonly truth: Truth;
  readonly reviews = new ReviewRecord();
  readonly refusals = new RefusalRecord();
  /** Nobody was ever blind, unless a test says so. */
  readonly sights: SightRecord;
  readonly watches: WatchRecord;
  readonly commits: HistoryCommit[] = [];
  readonly files = new TargetFiles(target, types);
  readonly #limits: Partial<Limits>;
  #ms = 0;
  #jumpedMs = 0;

  constructor(limits: Partial<Limits> = {}) {
    this.#limits = limits;
    let seed = 0;
    this.cluster = new SimulatedCluster({
      clock: { nowMs: () => this.#wallMs },
      random: () => (seed = (seed + 0.618_034) % 1),
    });
    this.truth = new Truth(this.cluster, () => this.#ms);
    this.watches = new WatchRecord({ monotonicMs: () => this.#ms, nowMs: () => this.#wallMs });
    const wallMs = (): number => this.#wallMs;
    const jumpedMs = (): number => Math.abs(this.#jumpedMs);
    this.sights = new SightRecord({
      nowMs: wallMs,
      get jumpedMs() {
        return jumpedMs();
      },
    });
    this.sights.began();
    this.reviews.began(0);
    this.#snapshot();
  }

  get around(): Circumstances {
    const { truth, reviews, watches, refusals, sights } = this;
    const limits = {
      pendingPerResource: 256,
      pendingTotal: 1000,
      pendingTtlMs: 600_000,
      freshnessMs: 10_000,
      verdictLogEntries: 1000,
      ...this.#limits,
    };
    return { truth, reviews, watches, refusals, sights, limits };
  }

  get #wallMs(): number {
    return bootMs + this.#jumpedMs + this.#ms;
  }

  /** The wall clock's. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
  }

  wait(ms: number): void {
    this.#ms += ms;
  }

  /** Every write that came of it. */
  act(...deeds: readonly Deed[]): readonly TrueWrite[] {
    const before = this.truth.writes.length;
    for (const deed of deeds) this.#act(deed);
    return this.truth.writes.slice(before);
  }

  /** Two requests at once: both are reviewed before the first is written. */
  race(first: Deed, second: Deed): TrueWrite {
    const before = this.truth.writes.length;
    const others = this.#begin(second);
    // In the same second: so the bytes are equal, times in managedFields included.
    this.#ms -= 1000;
    this.#act(first);
    others.return({ status: 409, body: "" });
    const [won] = this.truth.writes.slice(before);
    if (won === undefined) throw new Error("nobody won");
    return won;
  }

  /** The data directory finds no room for the review that came last. */
  refuse(): void {
    this.refusals.refused(this.#ms, this.#wallMs);
  }

  /** Kubescribe is killed, and starts again. */
  restart(): void {
    this.reviews.ended(this.#ms);
    this.wait(100);
    this.refusals.dated(this.#ms, this.#wallMs);
    this.reviews.began(this.#ms);
  }

  /** No review is taken for so long; when that was, by the wall clock. */
  goBlind(ms: number): { readonly fromMs: number; readonly toMs: number } {
    this.wait(5000);
    this.sights.ended();
    const fromMs = this.#wallMs;
    this.wait(ms);
    this.sights.began();
    return { fromMs, toMs: this.#wallMs };
  }

  tellBlind({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): number {
    this.commits.push({
      ...this.#commit(signed("kubescribe")),
      subject: "Attribution was blind",
      trailers: new Map([
        ["Kubescribe-Kind", ["coverage"]],
        ["Kubescribe-Blind-From", [new Date(fromMs).toISOString()]],
        ["Kubescribe-Blind-To", [new Date(toMs).toISOString()]],
        ["Kubescribe-Blind-Reason", ["process-down"]],
      ]),
    });
    return this.commits.length - 1;
  }

  /** What nobody saw is told at once, by a list. */
  gap(unseen: () => void): readonly TrueWrite[] {
    const { store } = this.cluster;
    const position = store.revision;
    const before = this.truth.writes.length;
    unseen();
    this.watches.refused(CONFIG_MAPS.key, position);
    this.watches.listed(CONFIG_MAPS.key, store.revision);
    this.watches.streamed(CONFIG_MAPS.key, store.revision);
    return this.truth.writes.slice(before);
  }

  restore(lost: number): void {
    this.truth.restore(this.cluster.store.revision - lost);
    this.watches.restored(this.truth.era, types.map(({ key }) => key)); // oxfmt-ignore
  }

  /** Tells it by its true writer. */
  tell(write: TrueWrite, tier = "exact", trailers: Readonly<Record<string, string | readonly string[]>> = {}): number {
    const { user, operation } = write;
    const named = tier !== "unresolved" && tier !== "collapsed";
    const candidates = (trailers["Candidate"] ?? []) as readonly string[];
    const author = named ? (candidates[0] ?? String(trailers["Changed-By"] ?? user)) : "unresolved";
    const file = { path: this.files.pathOf(write), before: this.#blobAt(this.files.pathOf(write)) };
    const all = {
      Resource: resourceOf(write),
      Uid: write.uid,
      "Resource-Version": String(write.revision),
      Operation: operation ?? "",
      Attribution: tier,
      ...(write.era > 0 ? { Epoch: String(write.era) } : {}),
      Cluster: clusterUid,
      ...trailers,
    };
    this.commits.push({
      ...this.#commit(signed(author)),
      authoredAt: this.#dateOf(write, author),
      subject: `${operation ?? ""} ${write.typeKey} ${write.name}`,
      trailers: new Map([
        ["Changed-By", [author]],
        ...Object.entries(all).map(([key, value]): [string, readonly string[]] => [
          `Kubescribe-${key}`,
          typeof value === "string" ? [value] : value,
        ]),
      ]),
      files: [fileOf(file, this.files.after(write))],
    });
    return this.commits.length - 1;
  }

  #act(deed: Deed): void {
    const run = this.#begin(deed);
    const done = run.next({
      answered: deed.review === undefined || deed.review === "answered",
      allowed: true,
      message: "",
    });
    if (done.done !== true) throw new Error("more than one review");
    this.wait(10);
    this.cluster.setPolicy(() => null);
    const last = this.truth.writes.at(-1);
    if (deed.unseen !== true && last?.revision === this.cluster.store.revision && last.atMs === this.#ms - 10)
      this.watches.delivered(last.typeKey, last.revision);
  }

  #begin(deed: Deed): ReturnType<typeof write> {
    const { user, verb, name, body = {}, type = CONFIG_MAPS, subresource = "" } = deed;
    this.wait(1000);
    this.cluster.setPolicy(() => (deed.denied === true ? "a quota" : null));
    const run = write(this.cluster, {
      user: { name: user, groups: [] },
      verb,
      type,
      namespace: "default",
      name: verb === "create" ? "" : name,
      subresource,
      body: verb === "create" ? { metadata: { name }, ...body } : body,
      fieldManager: "kubectl",
      userAgent: "kubectl",
      dryRun: false,
    });
    const step = run.next();
    if (step.done === true) throw new Error(`no review: ${step.value.body}`);
    if (deed.review !== "lost") this.reviews.took(step.value, { atMs: this.#ms, wallMs: this.#wallMs });
    return run;
  }

  #snapshot(): void {
    const { revision } = this.cluster.store;
    const files = this.truth.writes.map((write) =>
      fileOf({ path: this.files.pathOf(write), before: "" }, this.files.after(write)),
    );
    this.commits.push({
      ...this.#commit(signed("kubescribe")),
      subject: "Snapshot",
      trailers: new Map([
        ["Kubescribe-Kind", ["snapshot"]],
        ["Kubescribe-Cursor", types.map(({ key }) => `0 ${revision} ${key}`)],
      ]),
      files,
    });
  }

  #commit(author: { readonly authorName: string; readonly authorEmail: string }): HistoryCommit {
    const atS = Math.floor(this.#wallMs / 1000);
    const [committerName, committerEmail] = ["kubescribe", "kubescribe@kubescribe.invalid"];
    const id = String(this.commits.length);
    const empty = { subject: "", trailers: new Map(), files: [] };
    return { id, ...author, authoredAt: atS, committerName, committerEmail, committedAt: atS, ...empty };
  }

  #dateOf(write: TrueWrite, author: string): number {
    const his = this.reviews.onBase(write).filter(({ user, atMs }) => user === author && atMs <= write.atMs);
    return Math.floor((his.at(-1)?.wallMs ?? this.#wallMs) / 1000);
  }

  #blobAt(path: string): string {
    const touched = this.commits.flatMap(({ files }) => files).findLast((file) => file.path === path);
    return touched?.after ?? "";
  }
}

export const scaled = { type: DEPLOYMENTS, subresource: "scale", verb: "patch" } as const;

function fileOf({ path, before }: { path: string; before: string }, after: string): CommittedFile {
  return { status: before === "" ? "A" : after === "" ? "D" : "M", path, before, after };
}

function resourceOf({ typeKey, namespace, name }: TrueWrite): string {
  const [group = "", resource = ""] = typeKey.split("/");
  return `${group}/v1/${resource} ${namespace === "" ? name : `${namespace}/${name}`}`;
}

export function signed(user: string): { readonly authorName: string; readonly authorEmail: string } {
  const ours = ["kubescribe", "unresolved"].includes(user);
  const made = ours ? `${user}@kubescribe.invalid` : `${user}@users.kubescribe.invalid`;
  return { authorName: user, authorEmail: user.includes("@") ? user : made };
}
