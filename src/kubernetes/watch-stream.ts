/** One watch request: from its bytes to what a StreamReceiver is told. Nothing is awaited between two frames of a chunk (K30). */

import type { Faulted, StreamReceiver, StreamRequest } from "../../actors/watch-source.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { ResourceType } from "../../machines/messages.ts";
import { faultOf } from "../../machines/watch-fault.ts";
import type { WatchFault } from "../../machines/watch-fault.ts";
import { faultOfFrame, faultOfResponse } from "./answer-fault.ts";
import { readBody } from "./body.ts";
import { FrameSplitter } from "./frames.ts";
import { ask } from "./listing.ts";
import type { ListingContext } from "./listing.ts";
import { typePath } from "./type-path.ts";
import { decodeFrame } from "./watch-frame.ts";
import type { WatchFrame } from "./watch-frame.ts";

export async function readStream(
  context: ListingContext,
  type: ResourceType,
  request: StreamRequest,
  receiver: StreamReceiver,
  signal: AbortSignal,
): Promise<{ readonly kind: "ended" } | Faulted> {
  let watchList = "initial" in request.begin;
  const response = await ask(context.api, typePath(type, streamQuery(request)), signal);
  if ("kind" in response) return response;
  if (response.status !== 200) return { kind: "faulted", fault: await faultOfResponse(response, { watchList }) };
  receiver.alive();
  let atMs = 0;
  let ending: WatchFault | null = null;
  const frames = new FrameSplitter((bytes, start, end) => {
    if (ending !== null) return;
    const frame = decode(bytes, start, end);
    if (frame instanceof KubescribeError) ending = faultOf("undecodable", frame.message);
    else if (frame.kind === "event") receiver.event(frame.event);
    else if (frame.kind === "error") ending = faultOfFrame(frame.status, { watchList });
    else {
      if (frame.initialEnd) watchList = false;
      receiver.bookmark(frame.version, frame.initialEnd);
    }
  });
  const decode = (bytes: Buffer, start: number, end: number): WatchFrame | KubescribeError => {
    try {
      return decodeFrame(bytes, { start, end }, { type, atMs });
    } catch (error) {
      if (error instanceof KubescribeError) return error;
      throw error;
    }
  };
  const broken = await readBody(response.body, (chunk) => {
    atMs = context.clock.nowMs();
    const fault = push(frames, chunk);
    ending ??= fault;
    receiver.alive();
    return ending === null ? "more" : "enough";
  });
  // What a frame said comes before how the connection ended.
  const fault = ending ?? broken;
  return fault === null ? { kind: "ended" } : { kind: "faulted", fault };
}

function push(frames: FrameSplitter, chunk: Uint8Array): WatchFault | null {
  try {
    frames.push(chunk);
    return null;
  } catch (error) {
    // What a receiver throws may be a KubescribeError too: only the splitter's own is an answer.
    if (error instanceof KubescribeError && error.code === "watch-frame-too-long") {
      return faultOf("undecodable", error.message);
    }
    throw error;
  }
}

function streamQuery({ begin, timeoutSeconds }: StreamRequest): Record<string, string> {
  const common = { watch: "true", allowWatchBookmarks: "true", timeoutSeconds: String(timeoutSeconds) };
  if ("from" in begin) return { ...common, resourceVersion: begin.from };
  // NotOlderThan is the only match that WatchList knows; without a version it means the latest by quorum.
  const version = begin.initial.match === "latest" ? {} : { resourceVersion: begin.initial.version };
  return { ...common, sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan", ...version };
}
