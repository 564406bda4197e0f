/** From what was asked to the commits about it. */

import { KubescribeError } from "../../machines/error.ts";
import { quoted } from "../config/problem.ts";
import type { Clone } from "../git/clone/clone.ts";
import { fileChangesOf } from "../git/clone/file-versions.ts";
import { entriesOf, type HistoryIndex, type IndexEntry, newestOf } from "../git/clone/history-index.ts";
import { fileOfPath, keyOfText, resourceOfFile } from "../git/clone/record-key.ts";
import { type TypeName, typeText } from "./resource-words.ts";
import { type KnownResource, matchResources } from "./who-match.ts";
import type { WhoOptions } from "./who-options.ts";
import type { ResourceTitle } from "./who-section.ts";

export interface History {
  readonly clone: Clone;
  readonly index: HistoryIndex;
}

export interface ResourceRecord {
  readonly title: ResourceTitle;
  /** The newest first. */
  readonly entries: readonly IndexEntry[];
}

/** One for each cluster, and each type, that has a resource of the name. Throws a KubescribeError (`who-nothing`). */
export async function recordsOf(
  options: Pick<WhoOptions, "resource" | "cluster">,
  { clone, index }: History,
): Promise<readonly ResourceRecord[]> {
  const known = knownIn(index, options.cluster);
  if (known.length === 0 && options.cluster !== "") throw noCluster(options.cluster, { clone, index });
  const kindsOf = (types: readonly TypeName[]): Promise<ReadonlyMap<string, string>> =>
    kindsIn(types, { clone, index });
  const match = await matchResources({ question: options.resource, known, kindsOf });
  if (match.kind === "none") throw nothingFound(match.advice, clone);
  const wanted = new Map<string, IndexEntry[]>(match.resources.map((resource) => [resourceText(resource), []]));
  for (const entry of entriesOf(index, (key) => wanted.has(resourceText(key)))) {
    wanted.get(resourceText(entry.key))?.push(entry);
  }
  return match.resources.map((resource) => ({
    title: { ...resourceOfFile(resource.file), cluster: resource.cluster },
    entries: wanted.get(resourceText(resource)) ?? [],
  }));
}

/** Whose cluster's uid begins so. */
function knownIn(index: HistoryIndex, cluster: string): readonly KnownResource[] {
  const known = new Map<string, KnownResource>();
  for (const text of index.keys) {
    const key = keyOfText(text);
    if (key.file !== "" && key.cluster.startsWith(cluster)) known.set(resourceText(key), key);
  }
  return [...known.values()];
}

function resourceText({ cluster, file }: KnownResource): string {
  return `${cluster}\n${file}`;
}

/** By the newest file of each type: all of them are asked for together, since each look costs some processes. */
async function kindsIn(types: readonly TypeName[], { clone, index }: History): Promise<ReadonlyMap<string, string>> {
  const wanted = new Set(types.map(typeText));
  const typeOf = (file: string): string => typeText(resourceOfFile(file));
  const newest = newestOf(index, ({ file }) => (file !== "" && wanted.has(typeOf(file)) ? typeOf(file) : null));
  const kinds = new Map<string, string>();
  for (const entries of commitByCommit([...newest.values()])) {
    for await (const { path, before, after } of fileChangesOf(clone, entries)) {
      const kind = /^kind: (.+)$/m.exec(after?.text ?? before?.text ?? "")?.[1];
      const file = fileOfPath(path)?.file;
      if (kind !== undefined && file !== undefined) kinds.set(typeOf(file), kind.toLowerCase());
    }
  }
  return kinds;
}

/** In parts that have a commit but once: one that took in all types may be the newest of several. */
function commitByCommit(entries: readonly IndexEntry[]): readonly (readonly IndexEntry[])[] {
  const parts: Map<string, IndexEntry>[] = [];
  for (const entry of entries) {
    const part = parts.find((known) => !known.has(entry.id));
    if (part === undefined) parts.push(new Map([[entry.id, entry]]));
    else part.set(entry.id, entry);
  }
  return parts.map((part) => [...part.values()]);
}

function noCluster(cluster: string, { clone, index }: History): KubescribeError {
  const there = new Set(knownIn(index, "").map((resource) => quoted(resource.cluster)));
  return nothingFound(`the history has no cluster ${quoted(cluster)}; it has ${[...there].join(", ")}`, clone);
}

export function nothingFound(advice: string, { tip, boundary, branch }: Clone): KubescribeError {
  const why = tip === "" ? `${branch} has no commit yet` : advice;
  const shallow =
    boundary.size > 0 ? "; this clone is shallow: git fetch --unshallow brings the rest of the history" : "";
  return new KubescribeError("who-nothing", `${why}${shallow}`, { retry: "never" });
}
