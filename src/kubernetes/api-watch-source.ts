/** The WatchSource that asks a real API server. */

import type { ApiServer, Clock } from "../../actors/ports.ts";
import type { WatchSource } from "../../actors/watch-source.ts";
import { currentVersion, listAll, pageItems } from "./listing.ts";
import { readStream } from "./watch-stream.ts";

export function createWatchSource(options: {
  readonly api: ApiServer;
  readonly clock: Clock;
  /** Items of a page of a LIST. */
  readonly pageItems?: number;
}): WatchSource {
  const context = { api: options.api, clock: options.clock, pageItems: options.pageItems ?? pageItems };
  return {
    version: (type, signal) => currentVersion(context, type, signal),
    list: (type, request, signal) => listAll(context, type, request, signal),
    stream: (type, request, receiver, signal) => readStream(context, type, request, receiver, signal),
  };
}
