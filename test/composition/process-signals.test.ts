import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { interruptOf } from "../../src/composition/process-signals.ts";

test("the first signal asks for an orderly end, the second ends at once", () => {
  const emitter = new EventEmitter();
  const exits: number[] = [];
  const lines: string[] = [];
  const source = Object.assign(emitter, { exit: (code: number) => void exits.push(code) });
  {
    using interrupt = interruptOf(source, (line) => void lines.push(line));
    emitter.emit("SIGINT");
    expect(interrupt.signal.aborted).toBe(true);
    expect(exits).toEqual([]);
    expect(lines).toHaveLength(1);
    emitter.emit("SIGTERM");
    expect(exits).toEqual([143]);
  }
  expect(emitter.listenerCount("SIGINT") + emitter.listenerCount("SIGTERM")).toBe(0);
});
