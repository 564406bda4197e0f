/** The ports of one simulated process: each call is a point at which others may come first, and at which its life may end. */

import type { ApiServer, Clock, FileHandle, FileSystem, HttpResponse } from "../../actors/ports.ts";
import type { Dice } from "./dice.ts";
import type { CallKind, Life } from "./life.ts";
import { never } from "./life.ts";

export interface Mortality {
  readonly life: Life;
  /** The world's, not the process's. */
  readonly clock: Clock;
  /** Null: files take no time. */
  readonly dice: Dice | null;
}

export function mortalClock(clock: Clock, life: Life): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, task) =>
      clock.after(delayMs, () => {
        if (!life.alive) return;
        life.called("clock", "a timer");
        if (life.alive) task();
      }),
  };
}

/** Mostly at once, sometimes some ms later: whoever is due at the same time comes before or after it, as is drawn. */
const slowCalls = 0.1;
const slowestCallMs = 4;

export function mortalFiles(files: FileSystem, { life, clock, dice }: Mortality): FileSystem {
  const call = async <Value>(what: string, work: () => Promise<Value>, kind: CallKind = "file"): Promise<Value> => {
    if (!life.alive) return never();
    if (dice !== null) await pause(clock, dice.chance(slowCalls) ? dice.below(slowestCallMs) : 0);
    if (!life.alive) return never();
    life.called(kind, what);
    // The call that was the last one is made: the kernel, or half of a write, is through with it.
    return life.lived(work());
  };
  const handleOf = (path: string, handle: FileHandle): FileHandle => ({
    write: (bytes) => call(`write ${path}`, () => handle.write(bytes), "write"),
    read: (into, position) => call(`read ${path}`, () => handle.read(into, position)),
    sync: () => call(`sync ${path}`, () => handle.sync()),
    [Symbol.asyncDispose]: () => call(`close ${path}`, async () => handle[Symbol.asyncDispose]()),
  });
  return {
    open: (path, mode) => call(`open ${path}`, async () => handleOf(path, await files.open(path, mode))),
    readFile: (path) => call(`readFile ${path}`, () => files.readFile(path)),
    list: (path) => call(`list ${path}`, () => files.list(path)),
    stat: (path) => call(`stat ${path}`, () => files.stat(path)),
    makeDirectory: (path) => call(`makeDirectory ${path}`, () => files.makeDirectory(path)),
    rename: (from, to) => call(`rename ${from}`, () => files.rename(from, to)),
    remove: (path) => call(`remove ${path}`, () => files.remove(path)),
    syncDirectory: (path) => call(`syncDirectory ${path}`, () => files.syncDirectory(path)),
  };
}

export function mortalApi(api: ApiServer, life: Life): ApiServer {
  return {
    async request(request, signal): Promise<HttpResponse> {
      life.called("network", request.path);
      if (!life.alive) return never();
      const { status, headers, body } = await life.lived(api.request(request, signal));
      return { status, headers, body: mortalBody(body, life, request.path) };
    },
  };
}

async function* mortalBody(body: AsyncIterable<Uint8Array>, life: Life, path: string): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await life.lived(chunks.next());
      if (next.done === true) return;
      life.called("network", `a chunk of ${path}`);
      if (!life.alive) await never();
      yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
}

export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
