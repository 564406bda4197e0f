/** A clone as `who` finds it: which history is meant, and what of it is not here. */

import { resolve } from "node:path";
import type { FileSystem } from "../../../actors/ports.ts";
import { KubescribeError } from "../../../machines/error.ts";
import { readTextIfAny } from "../files.ts";
import { askGit, type Git, type GitAnswer } from "./git.ts";

export interface Clone {
  readonly git: Git;
  readonly files: FileSystem;
  /** Absolute: of the main repository, also in a linked work tree. */
  readonly gitDirectory: string;
  /** As it was asked for: `HEAD`, `main`. */
  readonly branch: string;
  /** What that stands for: `refs/heads/main`; where it is no ref, as it was asked for. */
  readonly ref: string;
  /** Hex; empty where there is no commit yet. */
  readonly tip: string;
  /** Commits whose parents a shallow clone left out. */
  readonly boundary: ReadonlySet<string>;
  /** Made with `--filter`: objects may be missing. */
  readonly partial: boolean;
}

export interface CloneOptions {
  readonly git: Git;
  readonly files: FileSystem;
  /** Absolute: where git is run. */
  readonly directory: string;
  readonly branch: string;
}

/**
 * Throws a KubescribeError: `git-not-a-repository`, `git-format-unsupported`, `git-revision-unknown`, `git-object-missing`, `git-clone-partial`, or
 * those of the port.
 */
export async function openClone({ git, files, directory, branch }: CloneOptions): Promise<Clone> {
  const found = await git(["rev-parse", "--git-common-dir", "--git-path", "shallow", "--show-object-format"]);
  if (found.code !== 0) throw noRepository(directory, found.error.trim());
  const [common = "", shallow = "", format = ""] = found.output.toString().split("\n");
  if (format !== "sha1") {
    const message = `${directory} holds ${format} objects: kubescribe writes SHA-1 histories, and reads no others`;
    throw new KubescribeError("git-format-unsupported", message, { retry: "never" });
  }
  const [boundary, partial, ref, tip] = await Promise.all([
    readTextIfAny(files, resolve(directory, shallow)),
    isPartial(git),
    refOf(git, branch),
    tipOf(git, { branch, directory }),
  ]);
  const cut = (boundary ?? "").split("\n").filter((line) => line !== "");
  return { git, files, gitDirectory: resolve(directory, common), branch, ref, tip, boundary: new Set(cut), partial };
}

/** Throws where not even the trees are here, which no question can do without. */
async function isPartial(git: Git): Promise<boolean> {
  const keys = String.raw`^(remote\..*\.(promisor|partialclonefilter)|extensions\.partialclone)$`;
  const { code, output } = await git(["config", "--get-regexp", keys]);
  const filter = /partialclonefilter (.*tree:.*)$/m.exec(output.toString())?.[1];
  if (filter === undefined) return code === 0;
  throw new KubescribeError(
    "git-clone-partial",
    `the clone was made with --filter=${filter}, and has no directories: git fetch --refetch --filter=blob:none brings them`,
    { retry: "never" },
  );
}

async function refOf(git: Git, branch: string): Promise<string> {
  const args = ["rev-parse", "--symbolic-full-name", "--verify", "--quiet", "--end-of-options", branch];
  const { code, output } = await git(args);
  const [name = ""] = output.toString().split("\n");
  return code === 0 && name.startsWith("refs/") ? name : branch;
}

async function tipOf(git: Git, where: { readonly branch: string; readonly directory: string }): Promise<string> {
  const { branch, directory } = where;
  const resolved = (revision: string): Promise<GitAnswer> =>
    git(["rev-parse", "--verify", "--quiet", "--end-of-options", revision]);
  const { code, output } = await resolved(`${branch}^{commit}`);
  if (code === 0) return output.toString().trim();
  const named = await resolved(branch);
  if (named.code === 0) {
    const id = named.output.toString().trim();
    const { code: unknown, output: type } = await git(["cat-file", "-t", id]);
    throw unknown === 0 ? otherThanCommit(branch, type.toString().trim()) : noCommit(branch, id);
  }
  if (branch === "HEAD" && (await git(["symbolic-ref", "--quiet", "HEAD"])).code === 0) return "";
  const format = "--format=%(refname:short)";
  const known = await askGit(git, ["for-each-ref", format, "--count=10", "refs/heads", "refs/remotes"]);
  const names = known.toString().trim().split("\n").join(", ");
  throw new KubescribeError(
    "git-revision-unknown",
    `--branch expected a branch or another revision of ${directory}, found ${JSON.stringify(branch)}: ` +
      (names === "" ? "it has no branches" : `it has ${names}`),
    { retry: "never" },
  );
}

function otherThanCommit(branch: string, type: string): KubescribeError {
  const message = `--branch expected a branch or another revision, found ${JSON.stringify(branch)}, which is a ${type}`;
  return new KubescribeError("git-revision-unknown", message, { retry: "never" });
}

function noCommit(branch: string, id: string): KubescribeError {
  return new KubescribeError(
    "git-object-missing",
    `${branch} stands at ${id}, and the repository has no such commit: run git fsck in it, and fetch what is missing`,
    { retry: "never" },
  );
}

function noRepository(directory: string, said: string): KubescribeError {
  const known = /not a git repository/i.test(said);
  return new KubescribeError(
    "git-not-a-repository",
    known
      ? `${directory} is in no git repository: go to a clone of the history, or name one with --repository`
      : `git cannot read ${directory}: ${said}`,
    { retry: "never" },
  );
}
