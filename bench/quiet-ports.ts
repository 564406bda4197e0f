/** Ports that benchmarks give to what they do not measure. */

import type { ApiServer, Log, Meter } from "../actors/ports.ts";

const silent = (): void => undefined;

export const quietMeter: Meter = { count: silent, record: silent, gauge: silent };

/** A warning in a benchmark is a benchmark that measures something else: it is told, once for each kind. */
export const quietLog: Log = { debug: silent, info: silent, warn: once(), error: once() };

function once(): Log["warn"] {
  const told = new Set<string>();
  return (message, fields) => {
    if (!told.has(message)) console.error(message, fields ?? {});
    told.add(message);
  };
}

/** Answers a probe and a list with `list`, and every watch with `chunks`. */
export function replayedApi(list: Buffer, chunks: () => AsyncIterable<Uint8Array>): ApiServer {
  return {
    request: ({ path }) => {
      const body = path.includes("watch=true") ? chunks() : only(list);
      return Promise.resolve({ status: 200, headers: {}, body });
    },
  };
}

async function* only(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(bytes);
}
