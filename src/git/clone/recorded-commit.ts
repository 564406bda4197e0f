/** One commit of ours, as its header and trailers say it: a change of one resource, or a note. */

import { trailersOf } from "../history.ts";
import type { Clone } from "./clone.ts";
import { readObjects } from "./objects.ts";

export interface RecordedCommit {
  /** Hex. */
  readonly id: string;
  readonly cluster: string;
  /** Of the author: when the review arrived, or the event was read. Seconds since 1970. */
  readonly second: number;
  readonly subject: string;
  /** Empty for a change; `snapshot`, `takeover`, `format`, `coverage`, or what later versions add. */
  readonly kind: string;
  /** The username; empty for a note. */
  readonly user: string;
  readonly operation: string;
  /** The verdict's tier, as the commit has it. */
  readonly tier: string;
  readonly candidates: readonly string[];
  /** Empty where none is named. */
  readonly fieldManager: string;
  readonly causedBy: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly epoch: number;
  readonly faulted: boolean;
}

/** In the order of `ids`; those that are no commits are left out. */
export async function readCommits(clone: Clone, ids: readonly string[]): Promise<readonly RecordedCommit[]> {
  const objects = await readObjects(clone, ids);
  return ids.flatMap((id) => {
    const body = objects.get(id);
    return body === undefined ? [] : [decodeCommit(id, body.toString("utf8"))];
  });
}

/** Whoever can push can date a commit beyond all calendars: of 9999. */
const lastSecond = 253_402_300_799;

function decodeCommit(id: string, text: string): RecordedCommit {
  const end = text.indexOf("\n\n");
  const header = end < 0 ? text : text.slice(0, end);
  const message = end < 0 ? "" : text.slice(end + 2);
  const trailers = trailersOf(message);
  const first = (key: string): string => trailers.get(key)?.[0] ?? "";
  return {
    id,
    cluster: first("Kubescribe-Cluster"),
    second: Math.min(lastSecond, Number(/^author .*> (\d+) [-+]\d{4}$/m.exec(header)?.[1] ?? 0)),
    subject: message.split("\n", 1)[0] ?? "",
    kind: first("Kubescribe-Kind"),
    user: first("Changed-By"),
    operation: first("Kubescribe-Operation"),
    tier: first("Kubescribe-Attribution"),
    candidates: trailers.get("Kubescribe-Candidate") ?? [],
    fieldManager: first("Kubescribe-Field-Manager"),
    causedBy: first("Kubescribe-Caused-By"),
    uid: first("Kubescribe-Uid"),
    resourceVersion: first("Kubescribe-Resource-Version"),
    epoch: Number(/^\d{1,15}$/.exec(first("Kubescribe-Epoch"))?.[0] ?? 0),
    faulted: first("Kubescribe-Faulted") === "true",
  };
}
