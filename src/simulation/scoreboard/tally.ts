/**
 * Counts what a branch says against what happened. Knows nothing of kubescribe but the contract: paths, trailers, sanitized content.
 *
 * 1. A commit says which write it is for by the uid and the resourceVersion of its trailers. One that the webhook enqueued (`dual`)
 *    bears the version that the attempt was based on: it is for the attempt of that user, on that version, with that content; of
 *    several, for one that was persisted and has no commit yet. That is as much in favour of the design as can be.
 */

import { createHash } from "node:crypto";

import { manifestOf } from "../../sanitize/manifest.ts";
import type { CommittedFile, HistoryCommit } from "../checkers/git-reader.ts";
import type { Truth, TrueWrite } from "../checkers/truth.ts";
import type { Counts } from "./cell.ts";
import type { Asked } from "./crowd.ts";

export type Tallied = Omit<Counts, "longestQueue">;

export interface TallyOptions {
  readonly truth: Truth;
  readonly asked: readonly Asked[];
  /** Keys of the types that are watched. */
  readonly watched: readonly string[];
}

type Mutable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] };

const named = new Set(["exact", "scale", "delete", "content", "recovered", "fifo", "dual", "tie"]);

export class Tally {
  readonly #options: TallyOptions;
  readonly #attempts: ReadonlyMap<string, readonly Asked[]>;
  /** The writes of a request that came to something. */
  readonly #fulfilled: ReadonlyMap<number, TrueWrite>;
  readonly #told = new Set<TrueWrite>();
  readonly #tree = new Map<string, string>();
  readonly #counts: Mutable<Tallied> = {
    changes: 0,
    commits: 0,
    duplicates: 0,
    phantoms: 0,
    lost: 0,
    wrongAuthors: 0,
    planted: 0,
    foreignLines: 0,
    ties: 0,
    tiesMisordered: 0,
    unresolved: 0,
    wrongFiles: 0,
  };

  constructor(options: TallyOptions) {
    this.#options = options;
    this.#attempts = Map.groupBy(options.asked, ({ attempt }) => keyOf(attempt));
    this.#fulfilled = new Map(
      options.asked.flatMap(({ request, write }) => (write === null ? [] : [[request, write]])),
    );
  }

  /** The next commit of the branch. */
  see(commit: HistoryCommit): void {
    if (trailerOf(commit, "Kubescribe-Kind") === "") this.#change(commit);
    for (const { path, after } of commit.files) {
      if (after === "") this.#tree.delete(path);
      else this.#tree.set(path, after);
    }
  }

  end(): Tallied {
    const { truth, watched } = this.#options;
    const last = new Map<string, string>();
    for (const write of truth.writes) {
      if (!watched.includes(write.typeKey)) continue;
      last.set(pathOf(write), write.after?.blob ?? "");
      if (write.before?.blob === write.after?.blob) continue;
      this.#counts.changes += 1;
      if (!this.#told.has(write)) this.#counts.lost += 1;
    }
    for (const path of new Set([...last.keys(), ...this.#tree.keys()]))
      if ((last.get(path) ?? "") !== (this.#tree.get(path) ?? "")) this.#counts.wrongFiles += 1;
    return this.#counts;
  }

  #change(commit: HistoryCommit): void {
    this.#counts.commits += 1;
    const [file] = commit.files;
    const tier = trailerOf(commit, "Kubescribe-Attribution");
    if (!named.has(tier)) this.#counts.unresolved += 1;
    if (tier === "tie") this.#counts.ties += 1;
    const write = tier === "dual" ? this.#attempted(commit, file) : this.#written(commit);
    if (write === null) {
      this.#counts.phantoms += 1;
      return;
    }
    if (this.#told.has(write)) {
      this.#counts.duplicates += 1;
      return;
    }
    this.#told.add(write);
    if (named.has(tier)) this.#author(commit, write, file);
  }

  #written(commit: HistoryCommit): TrueWrite | null {
    const uid = trailerOf(commit, "Kubescribe-Uid");
    const [write = null] = this.#options.truth.find(uid, Number(trailerOf(commit, "Kubescribe-Resource-Version")));
    return write;
  }

  /** Null: nothing came of what was asked for. */
  #attempted(commit: HistoryCommit, file: CommittedFile | undefined): TrueWrite | null {
    const key = [
      trailerOf(commit, "Kubescribe-Uid"),
      trailerOf(commit, "Kubescribe-Resource-Version"),
      trailerOf(commit, "Kubescribe-Operation"),
      trailerOf(commit, "Changed-By"),
    ].join(" ");
    const alike = (this.#attempts.get(key) ?? []).filter(
      ({ attempt }) => attempt.operation === "DELETE" || blobOf(attempt.object) === (file?.after ?? ""),
    );
    const writes = alike.flatMap(({ write }) => (write === null ? [] : [write]));
    // The same request may have come through at another try: then this is one commit more for it.
    const others = alike.flatMap(({ request }) => this.#fulfilled.get(request) ?? []);
    const untold = writes.find((write) => !this.#told.has(write));
    if (untold !== undefined) return untold;
    const [write = null] = writes;
    if (write !== null) return write;
    return others.find((write) => this.#told.has(write)) ?? null;
  }

  #author(commit: HistoryCommit, write: TrueWrite, file: CommittedFile | undefined): void {
    const author = trailerOf(commit, "Changed-By");
    const { user, reviewed, subresource, before, after } = write;
    const tie = trailerOf(commit, "Kubescribe-Attribution") === "tie";
    const candidates = commit.trailers.get("Kubescribe-Candidate") ?? [];
    if (author !== user && tie && candidates.includes(user)) this.#counts.tiesMisordered += 1;
    else if (author !== user) {
      this.#counts.wrongAuthors += 1;
      if (!reviewed && (write.operation === "DELETE" || subresource === "scale")) this.#counts.planted += 1;
    } else if (file?.before !== (before?.blob ?? "") || file.after !== (after?.blob ?? ""))
      this.#counts.foreignLines += 1;
  }
}

/** Of the file that an object makes. */
function blobOf(object: string | null): string {
  if (object === null) return "";
  const { yaml } = manifestOf(Buffer.from(object), { group: "", kind: "", secrets: { policy: "keep" } });
  return createHash("sha1").update(`blob ${yaml.length}\0`).update(yaml).digest("hex");
}

function keyOf({ object, oldObject, operation, user }: Asked["attempt"]): string {
  const text = oldObject ?? object ?? "";
  const uid = /"uid":"([^"]*)"/.exec(text)?.[1] ?? "";
  const base = oldObject === null ? "0" : (/"resourceVersion":"([^"]*)"/.exec(text)?.[1] ?? "0");
  return [uid, base, operation, user.name].join(" ");
}

function pathOf({ typeKey, namespace, name }: TrueWrite): string {
  return `${namespace === "" ? "_cluster" : namespace}/${typeKey}/${name}.yaml`;
}

function trailerOf({ trailers }: HistoryCommit, key: string): string {
  return trailers.get(key)?.[0] ?? "";
}
