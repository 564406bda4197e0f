/** Why a remote did not move a ref: from its words to what can be done about it. */

import type { KubescribeError } from "../../machines/error.ts";
import { type RemoteReason, remoteError } from "./remote-error.ts";
import type { RefUpdate } from "./remote.ts";
import type { Report } from "./report.ts";
import { wordsOf } from "./words.ts";

/** In this order: a hook's refusal may be about space, and "denied" about anything. */
const reasonsByWords: readonly (readonly [RemoteReason, RegExp])[] = [
  ["quota", /quota|too large|too big|size limit|exceed|no space left|disk (?:is )?full|GH001/i],
  ["stale", /non-fast-forward|fetch first|stale info|incorrect old value|reference already exists|but expected/i],
  [
    "declined",
    /hook|protected|prohibit|denied|deny|not (?:allowed|permitted)|forbidden|permission|read.only|GH\d{3}|GL-/i,
  ],
];

const advice: Partial<Record<RemoteReason, string>> = {
  quota: "make room there, or raise the limit",
  declined: "allow kubescribe's user to push there",
};

/** Null: the remote says that it moved all of them. */
export function rejectionOf(
  report: Report,
  updates: readonly RefUpdate[],
  secrets: readonly string[],
): KubescribeError | null {
  const refused = updates.filter(({ ref }) => report.faults.has(ref));
  if (refused.length === 0 && report.unpackFault === "") return null;
  const faults = refused.map(({ ref }) => report.faults.get(ref) ?? "");
  const all = [report.unpackFault, ...faults, report.words].filter((text) => text !== "");
  const reason = reasonsByWords.find(([, pattern]) => all.some((text) => pattern.test(text)))?.[0] ?? "refused";
  const names = (refused.length > 0 ? refused : updates).map(({ ref }) => ref).join(", ");
  const said = [...new Set(all)].map((text) => JSON.stringify(wordsOf(text, secrets))).join(", ");
  const help = advice[reason];
  return remoteError(
    reason,
    `the remote did not move ${names} and says ${said}${help === undefined ? "" : `: ${help}`}`,
  );
}

export function staleError({ ref, from, to }: RefUpdate, found: string): KubescribeError {
  return remoteError(
    "stale",
    `${ref} of the remote was expected at ${placeOf(from)}, to be moved to ${to}, and is at ${placeOf(found)}: somebody ` +
      "moved it; what was not pushed is built anew on that",
  );
}

export function unmovedError({ ref, to }: RefUpdate): KubescribeError {
  return remoteError(
    "unmoved",
    `the remote said that it moved ${ref} to ${to}, and it did not move: look at the server's log and its disk`,
  );
}

function placeOf(id: string): string {
  return id === "" ? "nothing" : id;
}
