/**
 * The ports of one simulated process. Owns whether it lives: once killed, nothing that it waits for ever comes, and nothing that
 * it does reaches the world.
 */

import type { ApiServer, Clock, FileHandle, FileSystem, HttpResponse } from "../../actors/ports.ts";
import type { Dice } from "./dice.ts";

export class Life {
  #alive = true;

  get alive(): boolean {
    return this.#alive;
  }

  end(): void {
    this.#alive = false;
  }

  /** The value while the process lives; otherwise it never comes. */
  async lived<Value>(promise: Promise<Value>): Promise<Value> {
    try {
      const value = await promise;
      return this.#alive ? value : await never();
    } catch (error) {
      if (this.#alive) throw error;
      return never();
    }
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

export function mortalClock(clock: Clock, life: Life): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, task) =>
      clock.after(delayMs, () => {
        if (life.alive) task();
      }),
  };
}

/** Each call takes a while, so that everything else may happen meanwhile. */
export function mortalFiles(
  files: FileSystem,
  { life, clock, dice }: { life: Life; clock: Clock; dice: Dice },
): FileSystem {
  const call = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    if (!life.alive) return never();
    if (dice.chance(0.2)) await life.lived(pause(clock, dice.below(3)));
    return life.lived(work());
  };
  const handleOf = (handle: FileHandle): FileHandle => ({
    write: (bytes) => call(() => handle.write(bytes)),
    read: (into, position) => call(() => handle.read(into, position)),
    sync: () => call(() => handle.sync()),
    [Symbol.asyncDispose]: () => call(async () => handle[Symbol.asyncDispose]()),
  });
  return {
    open: (path, mode) => call(async () => handleOf(await files.open(path, mode))),
    readFile: (path) => call(() => files.readFile(path)),
    list: (path) => call(() => files.list(path)),
    stat: (path) => call(() => files.stat(path)),
    makeDirectory: (path) => call(() => files.makeDirectory(path)),
    rename: (from, to) => call(() => files.rename(from, to)),
    remove: (path) => call(() => files.remove(path)),
    syncDirectory: (path) => call(() => files.syncDirectory(path)),
  };
}

export function mortalApi(api: ApiServer, life: Life): ApiServer {
  return {
    async request(request, signal): Promise<HttpResponse> {
      const { status, headers, body } = await life.lived(api.request(request, signal));
      return { status, headers, body: mortalBody(body, life) };
    },
  };
}

async function* mortalBody(body: AsyncIterable<Uint8Array>, life: Life): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await life.lived(chunks.next());
      if (next.done === true) return;
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
