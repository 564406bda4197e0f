/** `kubescribe who`: who changed this resource, or this field of it, and when; from any clone, without a cluster. */

import { KubescribeError } from "../../machines/error.ts";
import { optionHelp } from "../config/help.ts";
import { whoOptionTable } from "../config/option-table.ts";
import type { FieldPath } from "../fields/field-path.ts";
import type { Clone } from "../git/clone/clone.ts";
import { fileVersionsOf, prefixesOf } from "../git/clone/file-versions.ts";
import { entriesOf, type HistoryIndex, type IndexEntry } from "../git/clone/history-index.ts";
import { readCommits } from "../git/clone/recorded-commit.ts";
import { keyOfText, resourceOfFile } from "../git/clone/record-key.ts";
import { exitDone, exitFailed } from "./command-line.ts";
import { searchField } from "./field-search.ts";
import { type TypeName, typeText } from "./resource-words.ts";
import { visible, visibleJson } from "./visible.ts";
import { fieldJson, listJson } from "./who-json.ts";
import { type ListedChange, listChanges } from "./who-list.ts";
import { type KnownResource, matchResources } from "./who-match.ts";
import type { WhoOptions } from "./who-options.ts";
import type { BlindTime, FieldSection, ListSection, ResourceTitle } from "./who-section.ts";
import { fieldText, listText, type View } from "./who-text.ts";

export const whoHelp = `Usage: kubescribe who TYPE/NAME [FIELD] [OPTIONS]

Reads the history that "run" wrote, in any clone of it, and says who changed a resource: when, how certain that is,
which fields, and in which commit. With FIELD it says who set that field last, or anything below it. Deleted
resources are in the history like all others. Asks no cluster and no remote; writes nothing but an index of the
commits, below the user's cache directory.

TYPE is what kubectl takes: deployment, deployments, deploy, deployments.apps. FIELD is a path of kubectl's
JSONPath: .spec.replicas, .spec.template.spec.containers[0].image, .metadata.labels["app.kubernetes.io/name"].

Examples:
  kubescribe who deployment/web -n shop                     the last changes
  kubescribe who deployment/web -n shop .spec.replicas      who set it to what it is
  kubescribe who deploy web -n shop .spec.template          the last change anywhere in the template
  kubescribe who node/worker-3 -L 0                         all changes; a node has no namespace
  kubescribe who cm/settings --repository ~/history --branch origin/main --json

${optionHelp(whoOptionTable)}

  --help                          this text
  --version                       the version

Exit codes: 0 found, 1 nothing found (or the repository could not be read), 2 wrong usage.
`;

export interface WhoPorts {
  readonly clone: Clone;
  readonly index: HistoryIndex;
  readonly out: (text: string) => void;
  readonly view: View;
}

/** Resolves to the exit code. Throws a KubescribeError (`who-nothing`) that says what there is instead. */
export async function who(options: WhoOptions, ports: WhoPorts): Promise<number> {
  const records = await recordsOf(options, ports);
  return options.field === null
    ? await answerList(options, records, ports)
    : await answerField({ ...options, field: options.field }, records, ports);
}

interface ResourceRecord {
  readonly title: ResourceTitle;
  /** The newest first. */
  readonly entries: readonly IndexEntry[];
}

async function answerList(
  { limit, path, json }: WhoOptions,
  records: readonly ResourceRecord[],
  ports: WhoPorts,
): Promise<number> {
  const { clone, index } = ports;
  const sections: ListSection[] = [];
  let older = 0;
  for (const { title, entries } of records) {
    const found = await listChanges({ versions: fileVersionsOf(clone, entries), total: entries.length, limit, path });
    older += found.older;
    for (const { changes } of found.lists) {
      sections.push({ title, changes, blind: await blindTimesIn(changes, { clone, index, cluster: title.cluster }) });
    }
  }
  if (sections.length === 0) throw await nothingBelow(path, records, clone);
  if (json) ports.out(visibleJson({ ...repositoryJson(clone), older, resources: sections.map(listJson) }));
  else
    ports.out(
      `${sections.map((section) => listText(section, ports.view)).join("\n")}${olderText(older)}${shallowText(clone)}`,
    );
  return exitDone;
}

function olderText(older: number): string {
  if (older === 0) return "";
  return `\nand ${older} older ${older === 1 ? "one" : "ones"}: --limit 0 lists them all\n`;
}

function shallowText({ boundary }: Clone): string {
  return boundary.size === 0 ? "" : "\nThis clone is shallow: git fetch --unshallow brings what is older.\n";
}

async function answerField(
  { field, path, json }: WhoOptions & { readonly field: FieldPath },
  records: readonly ResourceRecord[],
  ports: WhoPorts,
): Promise<number> {
  const { clone, out, view } = ports;
  const sections: FieldSection[] = [];
  for (const { title, entries } of records) {
    const prefixes = path === null ? await prefixesOf(clone, entries) : [path];
    const shallow = clone.boundary.size > 0;
    const answers = await searchField({ versions: fileVersionsOf(clone, entries), field, prefixes, shallow });
    for (const answer of answers) sections.push({ title, field, answer });
  }
  if (sections.length === 0) throw await nothingBelow(path, records, clone);
  if (json) out(visibleJson({ ...repositoryJson(clone), resources: sections.map(fieldJson) }));
  else out(sections.map((section) => fieldText(section, view)).join("\n"));
  return sections.some(({ answer }) => answer.steps.length > 0) ? exitDone : exitFailed;
}

function repositoryJson({ gitDirectory, branch, tip, boundary }: Clone): Readonly<Record<string, unknown>> {
  return { repository: gitDirectory, branch, head: tip, shallow: boundary.size > 0 };
}

async function recordsOf(options: WhoOptions, { clone, index }: WhoPorts): Promise<readonly ResourceRecord[]> {
  const known = knownIn(index, options.cluster);
  const kindsOf = (types: readonly TypeName[]): Promise<ReadonlyMap<string, string>> =>
    kindsIn(types, { clone, index });
  const match = await matchResources({ question: options.resource, known, kindsOf });
  if (match.kind === "none") throw nothing(match.advice, clone);
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

/** By the newest file of each type. */
async function kindsIn(
  types: readonly TypeName[],
  { clone, index }: Pick<WhoPorts, "clone" | "index">,
): Promise<ReadonlyMap<string, string>> {
  const kinds = new Map<string, string>();
  for (const type of types) {
    const text = typeText(type);
    const entries = entriesOf(index, ({ file }) => file !== "" && typeText(resourceOfFile(file)) === text);
    for await (const { before, after } of fileVersionsOf(clone, entries.slice(0, 1))) {
      const kind = /^kind: (.+)$/m.exec(after?.text ?? before?.text ?? "")?.[1];
      if (kind !== undefined) kinds.set(text, kind.toLowerCase());
    }
  }
  return kinds;
}

/** Those of the cluster that lie between the changes, and after them. */
async function blindTimesIn(
  changes: readonly ListedChange[],
  { clone, index, cluster }: Pick<WhoPorts, "clone" | "index"> & { readonly cluster: string },
): Promise<readonly BlindTime[]> {
  const oldest = changes.at(-1)?.version.at ?? 0;
  const entries = entriesOf(index, (key) => key.cluster === cluster && key.file === "").filter(({ at }) => at > oldest);
  const places = new Map(entries.map(({ id, at }) => [id, at]));
  const commits = await readCommits(
    clone,
    entries.map(({ id }) => id),
  );
  return commits.flatMap((commit) => {
    return commit.kind === "coverage" ? [{ at: places.get(commit.id) ?? 0, commit }] : [];
  });
}

function nothing(advice: string, { tip, boundary, branch }: Clone): KubescribeError {
  const why = tip === "" ? `${branch} has no commit yet` : advice;
  const shallow =
    boundary.size > 0 ? "; this clone is shallow: git fetch --unshallow brings the rest of the history" : "";
  return new KubescribeError("who-nothing", `${why}${shallow}`, { retry: "never" });
}

async function nothingBelow(
  path: string | null,
  records: readonly ResourceRecord[],
  clone: Clone,
): Promise<KubescribeError> {
  const found = new Set<string>();
  for (const { entries } of records) {
    for await (const { prefix } of fileVersionsOf(clone, entries)) found.add(prefix === "" ? "the root" : prefix);
  }
  const there = [...found].map(visible).join(", ");
  return nothing(`the history has no change of it below ${path ?? "the root"}; it has some below ${there}`, clone);
}
