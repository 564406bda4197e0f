/** Reads a target's branch from outside. */

import type { FileSystem } from "../../actors/ports.ts";
import { ObjectReader } from "../git/object-reader.ts";

export interface HistoryCommit {
  readonly id: string;
  readonly subject: string;
  readonly trailers: ReadonlyMap<string, readonly string[]>;
  /** Blob ids by path. */
  readonly files: ReadonlyMap<string, string>;
}

/** From the oldest to the newest; empty for a branch that does not exist. */
export async function readHistory(files: FileSystem, gitDirectory: string): Promise<readonly HistoryCommit[]> {
  const reader = await ObjectReader.open(files, gitDirectory);
  const trees = new Map<string, ReadonlyMap<string, string>>();
  const readTree = async (id: string): Promise<ReadonlyMap<string, string>> => {
    const known = trees.get(id);
    if (known !== undefined) return known;
    const found = new Map<string, string>();
    const raw = await reader.readTree(id);
    for (let at = 0; at < raw.length;) {
      const end = raw.indexOf(0, at);
      const [mode, name = ""] = raw.toString("utf8", at, end).split(" ");
      const entry = raw.toString("hex", end + 1, end + 21);
      if (mode !== "40000") found.set(name, entry);
      else for (const [path, blob] of await readTree(entry)) found.set(`${name}/${path}`, blob);
      at = end + 21;
    }
    trees.set(id, found);
    return found;
  };
  const commits: HistoryCommit[] = [];
  for (let id = await headOf(files, gitDirectory); id !== "";) {
    const text = (await reader.read(id, "commit")).body.toString("utf8");
    const [header = "", ...message] = text.split("\n\n");
    const tree = /^tree ([0-9a-f]{40})/.exec(header)?.[1] ?? "";
    commits.push({
      id,
      subject: message[0] ?? "",
      trailers: trailersOf(message.at(-1) ?? ""),
      files: await readTree(tree),
    });
    id = /^parent ([0-9a-f]{40})/m.exec(header)?.[1] ?? "";
  }
  return commits.toReversed();
}

async function headOf(files: FileSystem, gitDirectory: string): Promise<string> {
  try {
    return Buffer.from(await files.readFile(`${gitDirectory}/refs/heads/main`))
      .toString()
      .trim();
  } catch {
    return "";
  }
}

function trailersOf(block: string): ReadonlyMap<string, readonly string[]> {
  const trailers = new Map<string, readonly string[]>();
  for (const line of block.trimEnd().split("\n")) {
    const at = line.indexOf(": ");
    if (at < 0) continue;
    const key = line.slice(0, at);
    trailers.set(key, [...(trailers.get(key) ?? []), line.slice(at + 2)]);
  }
  return trailers;
}
