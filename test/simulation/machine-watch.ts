/**
 * Sees what a task asks of the machine behind the ports: every asynchronous resource but promises (timers, files, sockets, threads,
 * zlib and crypto on the thread pool), and the readings of clocks and chance. Told apart from the rest of the process by the task's
 * asynchronous context.
 */

import { AsyncLocalStorage, createHook } from "node:async_hooks";

/** Promises and microtasks wait for nothing of their own; the simulated clock lets them settle by an Immediate. */
const ownTypes = new Set(["PROMISE", "Microtask", "Immediate"]);

/** Resolves to what was touched, each once. */
export async function touchedBy(task: () => Promise<unknown>): Promise<readonly string[]> {
  const touched = new Set<string>();
  const context = new AsyncLocalStorage<true>();
  const note = (what: string): void => {
    if (context.getStore() === true) touched.add(what);
  };
  const deflating = new Set<number>();
  const hook = createHook({
    init: (id, type) => {
      if (type === "ZLIB") deflating.add(id);
      else if (!ownTypes.has(type)) note(type);
    },
    // The synchronous functions of zlib have such a resource, too, but nothing of it ever comes back.
    before: (id) => {
      if (deflating.has(id)) note("ZLIB");
    },
  }).enable();
  using _readings = readings(note);
  try {
    await context.run(true, task);
  } finally {
    hook.disable();
  }
  return [...touched].toSorted();
}

function readings(note: (what: string) => void): Disposable {
  const stack = new DisposableStack();
  const tell = (owner: object, name: string): void => {
    const before = Object.getOwnPropertyDescriptor(owner, name);
    const read = Reflect.get(owner, name) as (...given: unknown[]) => unknown;
    const telling = (...given: unknown[]): unknown => {
      note(name);
      return Reflect.apply(read, owner, given);
    };
    Object.defineProperty(owner, name, { configurable: true, writable: true, value: telling });
    stack.defer(() => {
      if (before === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, before);
    });
  };
  tell(Date, "now");
  tell(performance, "now");
  tell(Math, "random");
  for (const name of ["randomUUID", "getRandomValues"]) tell(crypto, name);
  return stack;
}
