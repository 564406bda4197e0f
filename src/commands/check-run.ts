/** What can be wrong with a configuration is found before anything starts, all of it at once. */

import { join } from "node:path";
import type { Clock, FileSystem, Log, Meter } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { openCertificates } from "../admission/certificates.ts";
import type { GitRepoConfig, RuleDocument } from "../config/documents.ts";
import { checkRecipients } from "../keys/age-wrap.ts";
import { missingInstallationKey } from "../keys/installation-key.ts";
import { readInstallationKey } from "../keys/read-keys.ts";
import { loadDocuments } from "../config/load-documents.ts";
import type { RunOptions } from "../config/options.ts";
import type { Problem } from "../config/problem.ts";
import { configurationError } from "../config/problem.ts";
import { readSigningKey } from "../keys/signing-key.ts";
import { ensureRepository } from "../git/repository.ts";
import { Credentials } from "../kubernetes/credentials.ts";

export interface CheckPorts {
  readonly clock: Clock;
  readonly files: FileSystem;
  readonly meter: Meter;
  readonly log: Log;
}

/** Returns the rule documents. Throws a KubescribeError (`configuration-invalid`) that names everything that is wrong. */
export async function checkRun(options: RunOptions, ports: CheckPorts): Promise<readonly RuleDocument[]> {
  const problems: Problem[] = [];
  async function check<Value>(work: () => Promise<Value>): Promise<Value | null> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof KubescribeError)) throw error;
      problems.push({ place: null, path: "", message: error.message });
      return null;
    }
  }
  const { config } = options;
  const documents = config === null ? [] : await check(() => loadDocuments(ports.files, config));
  await check(() => checkCertificates(options, ports));
  await check(() => new Credentials(options.kubeconfig, ports.files).look());
  await check(() => checkDataDir(options.dataDir, ports.files));
  await check(() => checkInstallationKey(options, ports.files));
  for (const document of documents ?? []) {
    if (document.kind !== "GitRepoConfig") continue;
    for (const checkTarget of targetChecks) await check(() => checkTarget(document, ports.files));
  }
  if (documents === null || problems.length > 0) throw configurationError(problems);
  return documents;
}

type TargetCheck = (config: GitRepoConfig, files: FileSystem) => Promise<void>;

/** Each throws a KubescribeError that says why a target cannot be written. */
export const targetChecks: readonly TargetCheck[] = [
  checkRepository,
  (config, files) => naming(config, "spec.commit.signing", () => checkSigning(config, files)),
  (config) => naming(config, "spec.secrets.recipients", () => checkSecrets(config)),
];

async function checkCertificates({ admission: { tls } }: RunOptions, ports: CheckPorts): Promise<void> {
  if (tls === null) return;
  using _certificates = await openCertificates({ ...ports, ...tls }, () => undefined);
}

/** In the data directory one is made where there is none. */
async function checkInstallationKey(options: RunOptions, files: FileSystem): Promise<void> {
  const key = await readInstallationKey(files, options);
  if (key === null && options.installationKeyFile !== null) throw missingInstallationKey(options);
}

const probeName = ".kubescribe-probe";

const mends: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "Make room on its disk; then start again."],
  ["EROFS", "Mount its file system for writing; then start again."],
]);

async function checkDataDir(directory: string, files: FileSystem): Promise<void> {
  try {
    await files.makeDirectory(directory);
    const probe = join(directory, probeName);
    {
      await using file = await files.open(probe, "create");
      await file.write(new TextEncoder().encode("kubescribe\n"));
    }
    await files.remove(probe);
  } catch (cause) {
    const message =
      `--data-dir ${directory}: expected a directory that this process may write to, found ${codeOf(cause)}. ` +
      (mends.get(codeOf(cause)) ?? "Name another with --data-dir, or change its owner.");
    throw new KubescribeError("configuration-invalid", message, { retry: "never", cause });
  }
}

/** The local repository of a remote is made later, in the data directory. */
async function checkRepository({ repository, remote, branch, place }: GitRepoConfig, fs: FileSystem): Promise<void> {
  if (remote !== null) return;
  try {
    await ensureRepository({ fs, repository, branch, sync: true });
  } catch (cause) {
    const found = cause instanceof KubescribeError ? cause.message : codeOf(cause);
    const expected = `expected a repository that this process may write to at ${repository}, or a place to make one`;
    const message = `${place.file}:${place.line}: ${expected}; found: ${found}`;
    throw new KubescribeError("configuration-invalid", message, { retry: "never", cause });
  }
}

async function checkSigning({ signing }: GitRepoConfig, files: FileSystem): Promise<void> {
  if (signing !== null) await readSigningKey(files, signing);
}

async function checkSecrets({ secrets }: GitRepoConfig): Promise<void> {
  if (secrets.policy === "encrypt") await checkRecipients(secrets.recipients);
}

/** What reads a key does not know who named it. */
async function naming({ place }: GitRepoConfig, field: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (!(cause instanceof KubescribeError)) throw cause;
    const message = `${place.file}:${place.line}: ${field}: ${cause.message}`;
    throw new KubescribeError(cause.code, message, { retry: "never", cause });
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : "an error";
}
