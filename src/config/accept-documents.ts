/**
 * Which custom resources are followed. Each stands for itself: a wrong one stops nobody else, and is told why, where whoever wrote it
 * looks. Whoever may write in one namespace reaches nothing of another, nothing of this process's machine, and nothing inside of the
 * cluster. Pure.
 */

import { isAllowed } from "./allowed.ts";
import { checkDocuments } from "./check-documents.ts";
import { decodeDocuments } from "./decode-documents.ts";
import type { GitRepoConfig, RuleConfig, RuleDocument } from "./documents.ts";
import { titleOf } from "./documents.ts";
import { innerHostOf } from "./inner-host.ts";
import type { Problem } from "./problem.ts";

/** One custom resource as the API server has it. */
export interface CustomResource {
  readonly kind: RuleDocument["kind"];
  /** Empty for a cluster-scoped one. */
  readonly namespace: string;
  readonly name: string;
  readonly json: string;
}

export type Acceptance =
  | { readonly kind: "accepted"; readonly document: RuleDocument }
  | {
      readonly kind: "refused";
      /** `Invalid`: it cannot be read. `Conflict`: it does not go together with another. `Forbidden`: it is not for whoever wrote it. */
      readonly reason: "Invalid" | "Conflict" | "Forbidden";
      readonly message: string;
    };

/** By title. */
export type Acceptances = ReadonlyMap<string, Acceptance>;

/** `allow`: prefixes of URLs and of absolute paths that resources may name all the same. */
export function acceptDocuments(resources: readonly CustomResource[], allow: readonly string[]): Acceptances {
  const acceptances = new Map<string, Acceptance>();
  const decoded: RuleDocument[] = [];
  for (const resource of resources) {
    const title = titleOf(resource);
    const { documents, problems } = decodeDocuments(resource.json, title);
    const [document] = documents;
    if (document === undefined || problems.length > 0) acceptances.set(title, refused("Invalid", linesOf(problems)));
    else decoded.push(document);
  }
  const allowed = decoded.filter((document) => {
    const message = document.kind === "GitRepoConfig" ? forbiddenPlace(document, allow) : null;
    if (message !== null) acceptances.set(titleOf(document), refused("Forbidden", message));
    return message === null;
  });
  settle(allowed, acceptances);
  return acceptances;
}

/** A document that goes takes those along that need it: until nobody goes any more. */
function settle(documents: readonly RuleDocument[], acceptances: Map<string, Acceptance>): void {
  let staying = documents;
  for (;;) {
    const repositories = new Map(
      staying.flatMap((document) => (document.kind === "GitRepoConfig" ? [[idOf(document), document] as const] : [])),
    );
    const wrong = new Map<string, Acceptance>();
    for (const problem of checkDocuments(staying)) {
      const title = problem.place?.file ?? "";
      if (!wrong.has(title)) wrong.set(title, refused("Conflict", lineOf(problem)));
    }
    for (const document of staying) {
      const message = document.kind === "GitRepoConfig" ? null : forbiddenTarget(document, repositories);
      if (message !== null) wrong.set(titleOf(document), refused("Forbidden", message));
    }
    for (const [title, acceptance] of wrong) acceptances.set(title, acceptance);
    if (wrong.size === 0) break;
    staying = staying.filter((document) => !wrong.has(titleOf(document)));
  }
  for (const document of staying) acceptances.set(titleOf(document), { kind: "accepted", document });
}

function forbiddenPlace(config: GitRepoConfig, allow: readonly string[]): string | null {
  const { remote, repository, signing } = config;
  const files = [signing?.sshKeyFile ?? null, signing?.passphraseFile ?? null].filter((file) => file !== null);
  const file = files.find((path) => !isAllowed(path, allow));
  if (file !== undefined)
    return `spec.commit.signing: expected a file below one that --allow names, found ${file}: a custom resource reads no other files of the process`;
  const url = remote?.url ?? `file://${repository}`;
  if (isAllowed(url, allow)) return null;
  if (remote === null)
    return `spec.url: expected a Git server, found ${url}: directories of the process are for those who run it (--allow ${url})`;
  const inner = innerHostOf(remote.url);
  return inner === null
    ? null
    : `spec.url: expected a public Git server, found ${inner}, which is inside of the cluster or its network: let whoever runs kubescribe add --allow ${prefixOf(remote.url)}`;
}

/** What `--allow` would take for all of that server; `git@HOST:PATH` is no URL, and its host ends in the colon. */
function prefixOf(url: string): string {
  return /^[a-z]+:\/\/[^/]*\//i.exec(url)?.[0] ?? url.slice(0, url.indexOf(":") + 1);
}

/** A WatchRule writes to its own namespace's repositories, and to those that name its namespace. */
function forbiddenTarget(rule: RuleConfig, repositories: ReadonlyMap<string, GitRepoConfig>): string | null {
  if (rule.kind === "ClusterWatchRule" || rule.repo.namespace === rule.namespace) return null;
  const id = `${rule.repo.namespace}/${rule.repo.name}`;
  const allowed = repositories.get(id)?.allowedNamespaces ?? [];
  if (allowed.includes("*") || allowed.includes(rule.namespace)) return null;
  return `spec.repo: GitRepoConfig ${id} is of another namespace, and does not name ${rule.namespace} in spec.allowedNamespaces`;
}

function idOf({ namespace, name }: GitRepoConfig): string {
  return `${namespace}/${name}`;
}

function refused(reason: Extract<Acceptance, { readonly kind: "refused" }>["reason"], message: string): Acceptance {
  return { kind: "refused", reason, message };
}

function linesOf(problems: readonly Problem[]): string {
  return problems.length === 0 ? "expected a document, found nothing in it" : problems.map(lineOf).join("\n");
}

/** Lines and columns of JSON that nobody wrote mean nothing. */
function lineOf({ path, message }: Problem): string {
  return path === "" ? message : `${path}: ${message}`;
}
