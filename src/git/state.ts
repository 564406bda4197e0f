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
  /** What was selected of each type when its files were written; a state of before that has none. */
  readonly selections: ReadonlyMap<TypeKey, string>;
  /** Marks of the blind times that the branch tells of, the newest last. */
  readonly blindTimes: readonly string[];
}

/** A branch of which nothing is known. */
export const noState: BranchState = {
  tip: "",
  cursors: new Map(),
  formats: new Map(),
  selections: new Map(),
  blindTimes: [],
};

/** So many of the newest are remembered: none that is older comes again. */
const rememberedTimes = 32;

export function stateRefOf(target: Pick<TargetOptions, "id" | "clusterUid">): string {
  return `refs/kubescribe/${refPartOf(target.clusterUid)}/${refPartOf(target.id)}`;
}

const version = 1;

export function encodeState(state: BranchState): Buffer {
  const [cursors, formats, selections] = [sorted(state.cursors), sorted(state.formats), sorted(state.selections)];
  const blindTimes = state.blindTimes.slice(-rememberedTimes);
  const told = blindTimes.length === 0 ? {} : { blindTimes };
  const value = { version, tip: state.tip, cursors, formats, selections, ...told };
  return Buffer.from(`${JSON.stringify(value, null, 1)}\n`, "utf8");
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
  const [formats, selections] = [textsOf(value["formats"]), textsOf(value["selections"])];
  const times: unknown = value["blindTimes"];
  const blindTimes = Array.isArray(times) ? times.filter((time) => typeof time === "string") : [];
  return { tip: value["tip"], cursors, formats, selections, blindTimes };
}

/** Older states have none. */
function textsOf(value: unknown): ReadonlyMap<TypeKey, string> {
  const texts = new Map<TypeKey, string>();
  for (const [key, text] of Object.entries(isRecord(value) ? value : {})) {
    if (typeof text === "string") texts.set(key as TypeKey, text);
  }
  return texts;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
