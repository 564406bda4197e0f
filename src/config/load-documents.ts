/** Reads `--config FILE|DIR`. A directory's files are read by name; subdirectories and hidden names are not (`..data` of a mount). */

import type { FileSystem } from "../../actors/ports.ts";
import { checkDocuments } from "./check-documents.ts";
import type { RuleDocument } from "./documents.ts";
import { decodeDocuments } from "./decode-documents.ts";
import type { Problem } from "./problem.ts";
import { configurationError } from "./problem.ts";

const fileLimitBytes = 4 * 1024 * 1024;
const directoryLimitFiles = 1000;
const endings = [".yaml", ".yml", ".json"];

/** Throws a KubescribeError (`configuration-invalid`) with every problem that was found. `path` is absolute. */
export async function loadDocuments(
  files: Pick<FileSystem, "readFile" | "list" | "stat">,
  path: string,
): Promise<readonly RuleDocument[]> {
  const documents: RuleDocument[] = [];
  const problems: Problem[] = [];
  for (const file of await filesOf(files, path)) {
    const decoded = decodeDocuments(await textOf(files, file), file);
    documents.push(...decoded.documents);
    problems.push(...decoded.problems);
  }
  // Half of the documents would give misleading problems, such as a rule whose repository could not be read.
  if (problems.length === 0) problems.push(...checkDocuments(documents));
  if (problems.length === 0 && documents.length === 0) {
    problems.push({
      place: null,
      path: "--config",
      message: `expected rule documents in ${path}, found none: see docs/CONFIGURATION.md`,
    });
  }
  if (problems.length > 0) throw configurationError(problems);
  return documents;
}

async function filesOf(files: Pick<FileSystem, "list" | "stat">, path: string): Promise<readonly string[]> {
  try {
    if (!(await files.stat(path)).directory) return [path];
    const names = (await files.list(path)).filter(
      (name) => !name.startsWith(".") && endings.some((ending) => name.endsWith(ending)),
    );
    if (names.length > directoryLimitFiles) {
      throw unreadable(path, `expected at most ${directoryLimitFiles} files, found ${names.length}`);
    }
    return names.toSorted().map((name) => `${path}/${name}`);
  } catch (error) {
    throw unreadable(path, `expected a readable file or directory, found ${codeOf(error)}`);
  }
}

async function textOf(files: Pick<FileSystem, "readFile" | "stat">, path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    const { sizeBytes } = await files.stat(path);
    if (sizeBytes > fileLimitBytes)
      throw new Error(`${sizeBytes} bytes, more than the ${fileLimitBytes} that are read`);
    bytes = await files.readFile(path);
  } catch (error) {
    throw unreadable(path, `expected a readable file, found ${codeOf(error)}`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unreadable(path, "expected UTF-8, found other bytes: save the file as UTF-8");
  }
}

function unreadable(path: string, message: string): Error {
  return configurationError([{ place: null, path: `--config ${path}`, message }]);
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return error.code === "ENOENT" ? "nothing there (ENOENT)" : error.code;
  return error instanceof Error ? error.message : "an error";
}
