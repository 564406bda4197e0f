/** What stock git says of a repository: the port by which the checkers read it. */

/** One file that a commit touched. */
export interface CommittedFile {
  /** `A`, `M`, `D`, `T`. */
  readonly status: string;
  readonly path: string;
  /** Blob ids; empty where the file is not there. */
  readonly before: string;
  readonly after: string;
}

export interface HistoryCommit {
  readonly id: string;
  readonly authorName: string;
  readonly authorEmail: string;
  /** Seconds since 1970. */
  readonly authoredAt: number;
  readonly committerName: string;
  readonly committerEmail: string;
  readonly committedAt: number;
  readonly subject: string;
  /** By git's own idea of what a trailer is. */
  readonly trailers: ReadonlyMap<string, readonly string[]>;
  readonly files: readonly CommittedFile[];
}

/** A disk with repositories on it, of which nothing changes while it is read. */
export interface Disk {
  /** By absolute path. */
  files(): ReadonlyMap<string, Uint8Array>;
  directories(): readonly string[];
}

export interface ReadOptions {
  readonly disk: Disk;
  readonly gitDirectory: string;
  readonly branch: string;
  /** Takes long: a look at every object. */
  readonly fsck: boolean;
  /** Called with each commit, the oldest first. */
  readonly onCommit: (commit: HistoryCommit) => void;
}

export interface GitReader {
  /**
   * Resolves to what git complains of, one line each: what it cannot read, and, where it was asked for, what `git fsck --strict` says.
   * A branch that does not exist has no commits. Rejects where git cannot be run.
   */
  read(options: ReadOptions): Promise<readonly string[]>;
}
