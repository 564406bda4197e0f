/** Two sets of files, compared by the ids of their contents. Pure. */

/** Blob ids by path, for the files of one resource type in one target. */
export interface TypeFiles {
  /** What the cluster says should be there. */
  readonly expected: ReadonlyMap<string, ExpectedFile>;
  /** What is there at HEAD. */
  readonly found: ReadonlyMap<string, FoundFile>;
}

export interface ExpectedFile {
  readonly blobId: string;
  /** False: no rule asks for creations, so it may be missing. */
  readonly required: boolean;
  /** False: no rule asks for updates, so it may be an older state. */
  readonly current: boolean;
}

export interface FoundFile {
  readonly blobId: string;
  /** False: no rule asks for deletions, so it may outlive its object. */
  readonly removable: boolean;
}

export interface Difference {
  readonly kind: "missing" | "extra" | "different";
  readonly path: string;
  /** Blob ids; empty where there is none. */
  readonly expected: string;
  readonly found: string;
}

/** In the order of paths. */
export function compareTrees({ expected, found }: TypeFiles): readonly Difference[] {
  const differences: Difference[] = [];
  for (const [path, { blobId, required, current }] of expected) {
    const there = found.get(path)?.blobId ?? "";
    if (there === blobId) continue;
    if (there === "" ? required : current) {
      differences.push({ kind: there === "" ? "missing" : "different", path, expected: blobId, found: there });
    }
  }
  for (const [path, { blobId, removable }] of found) {
    if (removable && !expected.has(path)) differences.push({ kind: "extra", path, expected: "", found: blobId });
  }
  return differences.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** What both looks found, the same: the rest was on its way when the first look was taken. */
export function lasting(first: readonly Difference[], second: readonly Difference[]): readonly Difference[] {
  const identity = ({ kind, path, expected, found }: Difference): string => `${kind} ${path} ${expected} ${found}`;
  const seen = new Set(first.map(identity));
  return second.filter((difference) => seen.has(identity(difference)));
}
