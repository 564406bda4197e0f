/** Makes the entries of the index: one walk over the commits for their trailers, and the files of those that are no change. */

import type { Clone } from "./clone.ts";
import { askGit } from "./git.ts";
import type { NewEntry } from "./history-index.ts";
import { fileOfPath, fileOfTrailer, keyText } from "./record-key.ts";

/** Git prints the trailers alone: a third of the messages' bytes. */
const format = "%H%n%(trailers:key=Kubescribe-Resource,key=Kubescribe-Kind,key=Kubescribe-Cluster,only,unfold)";

/** The entries of the commits up to the tip and not up to `since` (empty: all of them), the oldest first. */
export async function readHistory(clone: Clone, since: string): Promise<readonly NewEntry[]> {
  const commits = new TrailerLines();
  const range = since === "" ? [clone.tip] : [clone.tip, `^${since}`];
  await askGit(clone.git, ["log", "--topo-order", `--format=${format}`, ...range, "--"], {
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

const idLine = /^[0-9a-f]{40}$/;

interface FoundCommit {
  readonly id: string;
  readonly cluster: string;
  /** Empty for a note. */
  readonly file: string;
  /** No change: a snapshot, a takeover, ... */
  readonly note: boolean;
}

/** Takes the log apart as it comes: a line that is an id, then the trailers of that commit. */
class TrailerLines {
  readonly #found: FoundCommit[] = [];
  /** Most commits are about a few thousand resources. */
  readonly #files = new Map<string, string | null>();
  #rest = "";
  #id = "";
  #cluster = "";
  #resource = "";
  #note = false;

  push(chunk: Buffer): void {
    // Ids, and trailers of ours, which are ASCII; another cluster uid stays as unequal as it was.
    const lines = (this.#rest + chunk.toString("latin1")).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  end(): FoundCommit[] {
    this.#finish();
    return this.#found;
  }

  #line(line: string): void {
    if (line.startsWith("Kubescribe-Resource: ")) this.#resource = line.slice(21);
    else if (line.startsWith("Kubescribe-Cluster: ")) this.#cluster = line.slice(20);
    else if (line.startsWith("Kubescribe-Kind: ")) this.#note = true;
    else if (idLine.test(line)) {
      this.#finish();
      this.#id = line;
    }
  }

  #finish(): void {
    const file = this.#note ? "" : this.#fileOf(this.#resource);
    if (this.#id !== "" && file !== null) {
      this.#found.push({ id: this.#id, cluster: this.#cluster, file, note: this.#note });
    }
    this.#cluster = "";
    this.#resource = "";
    this.#note = false;
  }

  #fileOf(resource: string): string | null {
    const known = this.#files.get(resource);
    if (known !== undefined) return known;
    const file = fileOfTrailer(resource);
    this.#files.set(resource, file);
    return file;
  }
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
  const output = await askGit(clone.git, args, { input: `${whole.join("\n")}\n` });
  const wanted = new Set(whole);
  let current: ChangedFile[] = [];
  for (const part of output.toString("utf8").split("\0")) {
    if (wanted.has(part)) {
      current = [];
      files.set(part, current);
      continue;
    }
    const file = fileOfPath(part);
    if (file !== null) current.push(file);
  }
  return files;
}
