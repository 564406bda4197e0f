/** Finds a repository, or makes one (gitrepository-layout), and refuses what this code cannot write to. */

import type { FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { exists, listIfAny, makeDurableDirectory, readTextIfAny, replaceFile } from "./files.ts";

export interface RepositoryOptions {
  readonly fs: FileSystem;
  readonly repository: string;
  /** What HEAD of a new repository names. */
  readonly branch: string;
  readonly sync: boolean;
}

/** Returns the git directory: objects and refs are there. Leaves an existing repository's HEAD and work tree alone. */
export async function ensureRepository(options: RepositoryOptions): Promise<string> {
  const found = await openRepository(options);
  if (found !== null) return found;
  await createRepository(options);
  return options.repository;
}

/** As `ensureRepository`, but null where there is none. */
export async function openRepository(options: Pick<RepositoryOptions, "fs" | "repository">): Promise<string | null> {
  const found = await findGitDirectory(options.fs, options.repository);
  if (found !== null) await refuseUnsupported(options.fs, found);
  return found;
}

/** Null where there is none. */
export async function findGitDirectory(fs: FileSystem, repository: string): Promise<string | null> {
  if (await isGitDirectory(fs, repository)) return repository;
  const inside = `${repository}/.git`;
  if (await isGitDirectory(fs, inside)) return inside;
  const link = await readTextIfAny(fs, inside);
  if (link === null || !link.startsWith("gitdir: ")) return null;
  const directory = resolve(repository, link.slice(8).trim());
  const common = await readTextIfAny(fs, `${directory}/commondir`);
  return common === null ? directory : resolve(directory, common.trim());
}

async function isGitDirectory(fs: FileSystem, path: string): Promise<boolean> {
  return (await exists(fs, `${path}/HEAD`)) && (await exists(fs, `${path}/objects`));
}

function resolve(from: string, path: string): string {
  return path.startsWith("/") ? path : `${from}/${path}`;
}

/** What a crash may leave of a repository that was just being made. */
const ownEntries = new Set(["config", "config.tmp", "HEAD.tmp", "objects", "refs", "kubescribe"]);

/** HEAD last: without it git sees no repository, and the next start goes on here. */
async function createRepository(options: RepositoryOptions): Promise<void> {
  const { fs, repository, branch, sync } = options;
  const strangers = (await listIfAny(fs, repository)).filter((name) => !ownEntries.has(name));
  if (strangers.length > 0) {
    throw new KubescribeError(
      "git-not-a-repository",
      `${repository} should be a git repository, an empty directory or nothing, and holds ` +
        `${JSON.stringify(strangers[0])}: name another path, or run git init --bare there`,
      { retry: "never" },
    );
  }
  for (const directory of ["objects/info", "objects/pack", "refs/heads", "refs/tags"]) {
    await makeDurableDirectory(fs, `${repository}/${directory}`, sync);
  }
  const config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";
  await replaceFile(fs, `${repository}/config`, { text: config, sync });
  await replaceFile(fs, `${repository}/HEAD`, { text: `ref: refs/heads/${branch}\n`, sync });
}

async function refuseUnsupported(fs: FileSystem, gitDirectory: string): Promise<void> {
  const config = (await readTextIfAny(fs, `${gitDirectory}/config`)) ?? "";
  const found = /^\s*(objectformat\s*=\s*sha256|refstorage\s*=\s*reftable)/im.exec(config)?.[1];
  if (found === undefined) return;
  throw new KubescribeError(
    "git-format-unsupported",
    `${gitDirectory} is a repository with ${found}: kubescribe writes SHA-1 repositories with refs as files; ` +
      "use git init --bare --object-format=sha1 --ref-format=files",
    { retry: "never" },
  );
}
