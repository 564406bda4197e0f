/** What the state ref `refs/kubescribe/<cluster>/<target>` points at: a blob of JSON that says how far the branch has come. */

import { isCursor } from "../../machines/cursor.ts";
import type { Cursor, TypeKey } from "../../machines/messages.ts";
import { KubescribeError } from "../../machines/error.ts";
import { refPartOf } from "./layout.ts";
import type { TargetOptions } from "./target.ts";

export interface BranchState {
  /** The commit that the cursors belong to; empty where nothing was committed yet. */
  readonly tip: string;
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
  /** How the files of each type are written; those that are not named, as no version says. */
  readonly formats: ReadonlyMap<TypeKey, string>;
}

export function stateRefOf(target: Pick<TargetOptions, "id" | "clusterUid">): string {
  return `refs/kubescribe/${refPartOf(target.clusterUid)}/${refPartOf(target.id)}`;
}

const version = 1;

export function encodeState(state: BranchState): Buffer {
  const [cursors, formats] = [sorted(state.cursors), sorted(state.formats)];
  return Buffer.from(`${JSON.stringify({ version, tip: state.tip, cursors, formats }, null, 1)}\n`, "utf8");
}

function sorted<Value>(map: ReadonlyMap<TypeKey, Value>): Readonly<Record<string, Value>> {
  return Object.fromEntries([...map].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function decodeState(bytes: Buffer, ref: string): BranchState {
  const state = parse(bytes);
  if (state === null) {
    throw new KubescribeError(
      "git-state-invalid",
      `${ref} should hold a state of version ${version} and does not: it was made by a newer kubescribe, or by hand. ` +
        `Use that version, or start from the branch's own trailers with git update-ref -d ${ref}`,
      { retry: "never" },
    );
  }
  return state;
}

/** Whether a blob is such a state, of any target. */
export function isState(bytes: Buffer): boolean {
  return parse(bytes) !== null;
}

function parse(bytes: Buffer): BranchState | null {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return null;
  }
  if (!isRecord(value) || value["version"] !== version || typeof value["tip"] !== "string") return null;
  const cursors = new Map<TypeKey, Cursor>();
  if (!isRecord(value["cursors"])) return null;
  for (const [key, cursor] of Object.entries(value["cursors"])) {
    if (!isCursor(cursor)) return null;
    cursors.set(key as TypeKey, cursor);
  }
  const formats = new Map<TypeKey, string>();
  // Older states have none.
  for (const [key, format] of Object.entries(isRecord(value["formats"]) ? value["formats"] : {})) {
    if (typeof format === "string") formats.set(key as TypeKey, format);
  }
  return { tip: value["tip"], cursors, formats };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
