/** What each commit did to the tree, by blob ids: `git log --raw`, once. */

import { git } from "../e2e/history.ts";

export interface WrittenFile {
  /** `A`, `M`, `D`. */
  readonly status: string;
  readonly path: string;
  /** Blob after the commit; all zeros for `D`. */
  readonly blob: string;
}

/** By commit. */
export async function readWrittenFiles(repository: string): Promise<ReadonlyMap<string, readonly WrittenFile[]>> {
  const text = await git(repository, ["log", "--no-renames", "--raw", "--no-abbrev", "--format=%x1e%H", "main", "--"]);
  return new Map(
    text
      .split("\u001e")
      .slice(1)
      .map((entry) => {
        const [sha = "", ...lines] = entry.split("\n").filter((line) => line !== "");
        return [sha, lines.map(writtenFileOf)] as const;
      }),
  );
}

function writtenFileOf(line: string): WrittenFile {
  const [, blob = "", status = "", path = ""] = /^:\d+ \d+ [0-9a-f]+ ([0-9a-f]+) ([A-Z])\t(.*)$/.exec(line) ?? [];
  return { status, path, blob };
}
