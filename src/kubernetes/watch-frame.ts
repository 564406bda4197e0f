/** Decodes one frame of a watch, `{"type":"ADDED","object":{...}}`, by scanning its bytes. */

import { KubescribeError } from "../../machines/error.ts";
import type { ResourceType, ResourceVersion, WatchEvent } from "../../machines/messages.ts";
import { JsonMembers } from "../bytes/json-members.ts";
import { expectEnd } from "../bytes/json-scan.ts";
import { readObjectHead } from "../bytes/object-head.ts";
import type { ObjectHead } from "../bytes/object-head.ts";
import { stageDocument } from "../bytes/skip-container.ts";
import { toWatchEvent } from "./watch-event.ts";

export type WatchFrame =
  | { readonly kind: "event"; readonly event: WatchEvent }
  | { readonly kind: "bookmark"; readonly version: ResourceVersion; readonly initialEnd: boolean }
  /** A Status, unread. */
  | { readonly kind: "error"; readonly status: string };

/** The frame's buffer is not kept: the event owns a copy of its object. Throws for what it cannot read. */
export function decodeFrame(
  bytes: Buffer,
  range: { readonly start: number; readonly end: number },
  context: { readonly type: ResourceType; readonly atMs: number },
): WatchFrame {
  stageDocument(bytes, range.start, range.end);
  const members = new JsonMembers(bytes, range.start, range.end);
  let kind = "";
  let head: ObjectHead | null = null;
  while (members.next()) {
    if (members.is("type")) kind = members.text();
    else if (members.is("object")) {
      head = readObjectHead(bytes, members.valueStart, range.end);
      members.skipTo(head.end);
    }
  }
  expectEnd(bytes, members.end, range.end);
  if (head === null) throw unknownFrame("an object");
  switch (kind) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED": {
      const own = new Uint8Array(head.end - head.start);
      own.set(bytes.subarray(head.start, head.end));
      return { kind: "event", event: toWatchEvent({ kind, head, source: bytes, bytes: own, ...context }) };
    }
    case "BOOKMARK":
      return decodeBookmark(bytes, head);
    case "ERROR":
      return { kind: "error", status: bytes.toString("utf8", head.start, head.end) };
    default:
      throw unknownFrame("type ADDED, MODIFIED, DELETED, BOOKMARK or ERROR");
  }
}

const initialEndKey = "k8s.io/initial-events-end";

/** One a minute and watch: parsing is fine. */
function decodeBookmark(bytes: Buffer, head: ObjectHead): WatchFrame {
  if (head.resourceVersion === "") throw unknownFrame("a resourceVersion in a bookmark");
  const text = bytes.toString("utf8", head.start, head.end);
  const { metadata } = JSON.parse(text) as { metadata: { annotations?: Record<string, unknown> | null } };
  const initialEnd = metadata.annotations?.[initialEndKey] === "true";
  return { kind: "bookmark", version: head.resourceVersion, initialEnd };
}

function unknownFrame(expected: string): KubescribeError {
  return new KubescribeError(
    "watch-frame-unknown",
    `A watch frame cannot be read: expected ${expected}. Whatever answers is probably not an API server.`,
    { retry: "relist" },
  );
}
