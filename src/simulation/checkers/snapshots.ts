/** What is no change: a type begins with one snapshot, which is the state at the version that it says it is. */

import type { Findings } from "./findings.ts";
import type { HistoryCommit } from "./git-reader.ts";
import type { TargetFiles } from "./target-files.ts";
import type { Truth } from "./truth.ts";
import type { WatchRecord } from "./watches.ts";

export interface Snapshot {
  readonly epoch: number;
  /** That epoch, counted as the cluster does: backups that were restored before the type began show nothing of themselves. */
  readonly era: number;
  readonly revision: number;
}

export interface SnapshotsOptions {
  readonly findings: Findings;
  readonly truth: Truth;
  readonly files: TargetFiles;
  readonly watches: WatchRecord;
}

export class Snapshots {
  readonly #findings: Findings;
  readonly #truth: Truth;
  readonly #files: TargetFiles;
  readonly #watches: WatchRecord;
  /** By type. */
  readonly #taken = new Map<string, Snapshot>();
  /** So many backups at least were restored and not noticed, by type. */
  readonly #unnoticed = new Map<string, number>();

  constructor({ findings, truth, files, watches }: SnapshotsOptions) {
    this.#findings = findings;
    this.#truth = truth;
    this.#files = files;
    this.#watches = watches;
  }

  of(typeKey: string): Snapshot | null {
    return this.#taken.get(typeKey) ?? null;
  }

  /** What an epoch of a type is at least, as the cluster counts: a backup that undid nothing may go unnoticed. */
  eraOf(typeKey: string, epoch: number): number {
    return epoch + (this.#unnoticed.get(typeKey) ?? 0);
  }

  /** A change was told in this epoch that was surely written in this era. */
  learn(typeKey: string, { epoch, era }: { readonly epoch: number; readonly era: number }): void {
    this.#unnoticed.set(typeKey, Math.max(this.#unnoticed.get(typeKey) ?? 0, era - epoch));
  }

  /** A commit with a kind. */
  see(commit: HistoryCommit): void {
    const kind = commit.trailers.get("Kubescribe-Kind")?.[0] ?? "";
    if (kind !== "snapshot") return this.#findings.break(`I2: a ${kind} commit that nobody gave cause for`);
    const cursors = (commit.trailers.get("Kubescribe-Cursor") ?? []).map((line) => line.split(" "));
    const begun = new Map(
      cursors.map(([epoch, revision, key = ""]) => [key, this.#begun(key, Number(epoch), Number(revision))] as const),
    );
    for (const [typeKey, snapshot] of begun) {
      if (this.#taken.has(typeKey)) this.#findings.break(`I2: ${typeKey} begins once more`);
      this.#taken.set(typeKey, snapshot);
      this.learn(typeKey, snapshot);
    }
    const expected = this.#stateOf(begun);
    const found = new Map(commit.files.map(({ path, after }) => [path, after] as const));
    for (const path of new Set([...expected.keys(), ...found.keys()]))
      if (expected.get(path) !== found.get(path)) this.#findings.break(`I5: the snapshot is another at ${path}`);
  }

  #begun(typeKey: string, epoch: number, revision: number): Snapshot {
    return { epoch, era: this.#watches.eraOfList(typeKey, revision) ?? epoch, revision };
  }

  #stateOf(begun: ReadonlyMap<string, Snapshot>): ReadonlyMap<string, string> {
    const state = new Map<string, string>();
    for (const writes of this.#truth.objects()) {
      const [object] = writes;
      const snapshot = begun.get(object?.typeKey ?? "");
      if (object === undefined || snapshot === undefined) continue;
      const last = this.#truth.lastAt(object, snapshot.era, snapshot.revision);
      const blob = last === null ? "" : this.#files.after(last);
      if (last !== null && blob !== "") state.set(this.#files.pathOf(last), blob);
    }
    return state;
  }
}
