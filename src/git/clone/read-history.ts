/** Makes the entries of the index: one walk over the commits for their trailers, and the files of those that are no change. */

import type { Clone } from "./clone.ts";
import { askGit } from "./git.ts";
import type { NewEntry } from "./history-index.ts";
import { NulRecords } from "./nul-records.ts";
import { fileOfPath, fileOfTrailer, keyText } from "./record-key.ts";

/** The entries of the commits up to the tip and not up to `since` (empty: all of them), the oldest first. */
export async function readHistory(clone: Clone, since: string): Promise<readonly NewEntry[]> {
  const commits = new LogReader();
  const range = since === "" ? [clone.tip] : [clone.tip, `^${since}`];
  await askGit(clone.git, ["log", "--topo-order", "-z", "--format=%H%n%B", ...range, "--"], {
    onOutput: (chunk) => commits.push(chunk),
  });
  const found = commits.end().toReversed();
  const files = await filesOf(
    clone,
    found.flatMap(({ id, note }) => (note ? [id] : [])),
  );
  return found.flatMap(({ id, cluster, file, note }): readonly NewEntry[] => {
    if (!note) return [{ id, key: keyText({ cluster, file, prefix: null }) }];
    const changed = files.get(id) ?? [];
    // A blind time changes no file, and is of the cluster.
    if (changed.length === 0) return [{ id, key: keyText({ cluster, file: "", prefix: null }) }];
    return changed.map((path) => ({ id, key: keyText({ cluster, ...path }) }));
  });
}

interface FoundCommit {
  readonly id: string;
  readonly cluster: string;
  /** Empty for a note. */
  readonly file: string;
  /** No change: a snapshot, a takeover, ... */
  readonly note: boolean;
}

const idDigits = 40;

/** Takes the log apart. Git's own `%(trailers)` takes longer. */
class LogReader {
  readonly #found: FoundCommit[] = [];
  /** Most commits are about a few thousand resources, of one cluster. */
  readonly #files = new Map<string, string | null>();
  readonly #clusters = new Map<string, string>();
  // What is taken of it is ASCII; a cluster uid that is not stays as unequal as it was.
  readonly #records = new NulRecords("latin1", (record) => this.#commit(record));

  push(chunk: Buffer): void {
    this.#records.push(chunk);
  }

  end(): readonly FoundCommit[] {
    return this.#found;
  }

  #commit(record: string): void {
    const text = record.trimEnd();
    const block = text.slice(Math.max(idDigits, text.lastIndexOf("\n\n") + 1));
    const note = trailerIn(block, "Kubescribe-Kind") !== "";
    const file = note ? "" : this.#fileOf(trailerIn(block, "Kubescribe-Resource"));
    if (file === null) return;
    const cluster = this.#clusterOf(trailerIn(block, "Kubescribe-Cluster"));
    this.#found.push({ id: detached(text.slice(0, idDigits)), cluster, file, note });
  }

  #fileOf(resource: string): string | null {
    const known = this.#files.get(resource);
    if (known !== undefined) return known;
    const file = fileOfTrailer(resource);
    this.#files.set(detached(resource), file === null ? null : detached(file));
    return file;
  }

  #clusterOf(uid: string): string {
    const known = this.#clusters.get(uid);
    if (known !== undefined) return known;
    const cluster = detached(uid);
    this.#clusters.set(cluster, cluster);
    return cluster;
  }
}

/** A copy: a part of a text keeps the text in memory, and that is the log of the whole history. */
function detached(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** The first of a key, as `trailersOf` has it; `block` begins with a line feed. */
function trailerIn(block: string, key: string): string {
  const head = `\n${key}: `;
  const at = block.indexOf(head);
  if (at < 0) return "";
  const from = at + head.length;
  const end = block.indexOf("\n", from);
  return end < 0 ? block.slice(from) : block.slice(from, end);
}

interface ChangedFile {
  readonly file: string;
  readonly prefix: string;
}

/** Our files that each of the commits changed. */
async function filesOf(clone: Clone, ids: readonly string[]): Promise<ReadonlyMap<string, readonly ChangedFile[]>> {
  // Without its parent, a commit seems to bring every file there is.
  const whole = ids.filter((id) => !clone.boundary.has(id));
  const files = new Map<string, ChangedFile[]>();
  if (whole.length === 0) return files;
  const args = ["diff-tree", "--stdin", "-r", "--root", "--no-renames", "--name-only", "-z"];
  const wanted = new Set(whole);
  let current: ChangedFile[] = [];
  const records = new NulRecords("utf8", (part) => {
    if (wanted.has(part)) {
      current = [];
      files.set(part, current);
      return;
    }
    const file = fileOfPath(part);
    if (file !== null) current.push(file);
  });
  await askGit(clone.git, args, { input: `${whole.join("\n")}\n`, onOutput: (chunk) => records.push(chunk) });
  return files;
}
