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

/** Answers a list with `list`, every watch with `chunks`, and the question how far it has come with `version`. */
export function replayedApi({
  list,
  chunks,
  version,
}: {
  readonly list: Buffer;
  readonly chunks: () => AsyncIterable<Uint8Array>;
  readonly version: () => string;
}): ApiServer {
  return {
    request: ({ path }) => {
      const asked = path.endsWith("?limit=1");
      const listed = asked ? Buffer.from(`{"metadata":{"resourceVersion":"${version()}"},"items":[]}`) : list;
      const body = path.includes("watch=true") ? chunks() : only(listed);
      return Promise.resolve({ status: 200, headers: {}, body });
    },
  };
}

async function* only(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(bytes);
}
