/** One look at every target: the cluster through the API server, HEAD through isomorphic-git, a second opinion on our packfiles. */

import * as nodeFiles from "node:fs";
import git from "isomorphic-git";
import type { ApiServer, Clock, FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { ResourceType } from "../../machines/messages.ts";
import { selectedOperations } from "../../machines/selection.ts";
import type { CompiledRules, CompiledTarget } from "../config/compile-rules.ts";
import { filePathOf, namespaceOf, pathPrefixOf, resourcePartOf, typeDirectoriesOf } from "../git/layout.ts";
import { objectIdOf } from "../git/object.ts";
import { findGitDirectory } from "../git/repository.ts";
import { SelectionIndex } from "../git/selection.ts";
import { listAll, pageItems } from "../kubernetes/listing.ts";
import { manifestOf } from "../sanitize/manifest.ts";
import type { SecretOptions } from "../sanitize/secrets.ts";
import type { Difference, ExpectedFile, FoundFile } from "./compare-trees.ts";
import { compareTrees } from "./compare-trees.ts";
import type { Look } from "./verify.ts";

export interface LookPorts {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly files: FileSystem;
  readonly signal: AbortSignal;
  /** Told what is being read: a large cluster takes its time. */
  readonly progress: (text: string) => void;
  /** Path of a repository that holds the target's branch as it stands now. */
  readonly repositoryOf: (target: CompiledTarget) => Promise<string>;
  /** What becomes of Secrets in a target. Throws a KubescribeError where that cannot be known. */
  readonly secretsOf: (target: CompiledTarget, type: ResourceType) => Promise<SecretOptions>;
}

export async function lookAt(rules: CompiledRules, ports: LookPorts): Promise<readonly Look[]> {
  const looks: Look[] = [];
  for (const target of rules.targets) looks.push(await lookAtTarget(target, rules.watchedTypes, ports));
  return looks;
}

async function lookAtTarget(target: CompiledTarget, types: readonly ResourceType[], ports: LookPorts): Promise<Look> {
  const { repository, branch, path } = target.config;
  const index = new SelectionIndex(target.selections);
  const wanted = types.filter((type) => target.selections.some(({ typeKey }) => typeKey === type.key));
  const differences: Difference[] = [];
  let files = 0;
  if (target.config.remote === null) await gitDirectoryOf(target, repository, ports.files);
  // The cluster first: what is committed meanwhile is then in the tree, and a second look settles the rest.
  const expected = new Map<ResourceType, ReadonlyMap<string, ExpectedFile>>();
  for (const type of wanted) {
    ports.progress(`${target.id}: listing ${type.key} …`);
    expected.set(type, await filesExpected(type, target, ports));
  }
  ports.progress(`${target.id}: reading ${branch} of ${repository} …`);
  const head = await Head.open(await gitDirectoryOf(target, await ports.repositoryOf(target), ports.files), branch);
  for (const type of wanted) {
    const found = await head.filesOf(type, pathPrefixOf(path), index);
    files += found.size;
    differences.push(...compareTrees({ expected: expected.get(type) ?? new Map(), found }));
  }
  return { target: target.id, repository, branch, head: head.commit, files, differences };
}

async function filesExpected(
  type: ResourceType,
  target: CompiledTarget,
  { api, clock, signal, secretsOf }: LookPorts,
): Promise<ReadonlyMap<string, ExpectedFile>> {
  const request = { match: "latest", alive: () => undefined } as const;
  const listed = await listAll({ api, clock, pageItems }, type, request, signal);
  if (listed.kind === "faulted") {
    const message = `${type.key} cannot be listed: expected a list, found ${listed.fault.detail}. May this user list them?`;
    throw new KubescribeError("cluster-unreadable", message, { retry: "backoff" });
  }
  const prefix = pathPrefixOf(target.config.path);
  const secrets = await secretsOf(target, type);
  const files = new Map<string, ExpectedFile>();
  for (const item of listed.items) {
    // An object that is being deleted has no file any more (K33).
    if (item.terminating) continue;
    const { yaml, labels } = manifestOf(item.bytes, { group: type.group, kind: type.kind, secrets });
    const operations = selectedOperations(target.selections, { typeKey: type.key, namespace: item.namespace, labels });
    if (operations.size === 0) continue;
    const { directories, file } = filePathOf(prefix, type, item);
    files.set([...directories, file].join("/"), {
      blobId: objectIdOf("blob", yaml).toString("hex"),
      required: operations.has("CREATE"),
      current: operations.has("UPDATE"),
    });
  }
  return files;
}

async function gitDirectoryOf(
  { config: { place } }: CompiledTarget,
  repository: string,
  files: FileSystem,
): Promise<string> {
  const gitdir = await findGitDirectory(files, repository);
  if (gitdir !== null) return gitdir;
  const message = `${place.file}:${place.line}: expected a git repository at ${repository}, found none. Has "kubescribe run" been here?`;
  throw new KubescribeError("configuration-invalid", message, { retry: "never" });
}

/** A branch's head and its trees. */
class Head {
  readonly commit: string;
  readonly #gitdir: string;
  readonly #cache: object = {};

  private constructor(gitdir: string, commit: string) {
    this.#gitdir = gitdir;
    this.commit = commit;
  }

  static async open(gitdir: string, branch: string): Promise<Head> {
    try {
      return new Head(gitdir, await git.resolveRef({ fs: nodeFiles, gitdir, ref: `refs/heads/${branch}` }));
    } catch (error) {
      if (error instanceof git.Errors.NotFoundError) return new Head(gitdir, "");
      throw error;
    }
  }

  /** By path; only files that are ours and that a selection covers. */
  async filesOf(
    type: ResourceType,
    prefix: readonly string[],
    index: SelectionIndex,
  ): Promise<ReadonlyMap<string, FoundFile>> {
    const found = new Map<string, FoundFile>();
    for (const { path: directory, kind } of await this.#entries(prefix.join("/"))) {
      if (kind !== "tree") continue;
      const namespace = namespaceOf(directory);
      if (!index.covers(type.key, namespace)) continue;
      const parent = typeDirectoriesOf(prefix, directory, type).join("/");
      const removable = index.removes(type.key, namespace);
      for (const { path: file, kind: entryKind, oid } of await this.#entries(parent)) {
        if (entryKind === "blob" && resourcePartOf(file) !== null)
          found.set(`${parent}/${file}`, { blobId: oid, removable });
      }
    }
    return found;
  }

  async #entries(
    filepath: string,
  ): Promise<readonly { readonly path: string; readonly kind: string; readonly oid: string }[]> {
    if (this.commit === "") return [];
    const at = filepath === "" ? {} : { filepath };
    try {
      const { tree } = await git.readTree({
        fs: nodeFiles,
        gitdir: this.#gitdir,
        oid: this.commit,
        cache: this.#cache,
        ...at,
      });
      return tree.map(({ path, type: kind, oid }) => ({ path, kind, oid }));
    } catch (error) {
      if (error instanceof git.Errors.NotFoundError) return [];
      throw error;
    }
  }
}
