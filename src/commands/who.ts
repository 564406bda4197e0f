/** `kubescribe who`: who changed this resource, or this field of it, and when; from any clone, without a cluster. */

import type { KubescribeError } from "../../machines/error.ts";
import { optionHelp } from "../config/help.ts";
import { whoOptionTable } from "../config/option-table.ts";
import type { FieldPath } from "../fields/field-path.ts";
import type { Clone } from "../git/clone/clone.ts";
import { fileChangesOf, fileVersionsOf, recentChangesOf } from "../git/clone/file-versions.ts";
import { entriesOf } from "../git/clone/history-index.ts";
import { readCommits } from "../git/clone/recorded-commit.ts";
import { exitDone, exitFailed } from "./command-line.ts";
import { searchField } from "./field-search.ts";
import { visible, visibleJson } from "./visible.ts";
import { fieldJson, listJson } from "./who-json.ts";
import { type ListedChange, listChanges } from "./who-list.ts";
import type { WhoOptions } from "./who-options.ts";
import { type History, nothingFound, recordsOf, type ResourceRecord } from "./who-records.ts";
import type { BlindTime, FieldSection, ListSection } from "./who-section.ts";
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

export interface WhoPorts extends History {
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

async function answerList(
  { limit, path, json }: WhoOptions,
  records: readonly ResourceRecord[],
  ports: WhoPorts,
): Promise<number> {
  const { clone, index } = ports;
  const sections: ListSection[] = [];
  let older = 0;
  for (const { title, entries } of records) {
    const found = await listChanges({ versions: fileVersionsOf(clone, entries), entries, limit, path });
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
    const recent = path === null ? await recentChangesOf(clone, entries) : null;
    const changes = fileChangesOf(clone, entries, recent);
    const prefixes = recent?.prefixes ?? [path ?? ""];
    const answers = await searchField({ changes, field, prefixes, shallow: clone.boundary.size > 0 });
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

/** Those of the cluster that lie between the changes, and after them. */
async function blindTimesIn(
  changes: readonly ListedChange[],
  { clone, index, cluster }: History & { readonly cluster: string },
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

async function nothingBelow(
  path: string | null,
  records: readonly ResourceRecord[],
  clone: Clone,
): Promise<KubescribeError> {
  const found = new Set<string>();
  for (const { entries } of records) {
    for (const prefix of (await recentChangesOf(clone, entries)).prefixes) found.add(prefix);
  }
  const there = [...found].map((prefix) => (prefix === "" ? "the root" : visible(prefix))).join(", ");
  if (path === null) return nothingFound("the commits about it change no file of its", clone);
  const below = path === "" ? "the root" : path;
  return nothingFound(`the history has no change of it below ${below}; it has some below ${there}`, clone);
}
