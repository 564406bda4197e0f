import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";

import { Watchdog } from "../../src/remote/watchdog.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { opened, patient } from "./opened.ts";

const patience = { connectMs: 1000, silenceMs: 300 };

test("a connection has its time, an answer its own, and whatever moves begins it anew", () => {
  const clock = createSimulatedClock();
  using watchdog = new Watchdog(clock, patience);
  clock.advance(999);
  expect(watchdog.signal.aborted).toBe(false);
  watchdog.touch();
  clock.advance(299);
  watchdog.reach();
  for (let touches = 0; touches < 10; touches++) {
    clock.advance(299);
    expect(watchdog.signal.aborted).toBe(false);
    watchdog.touch();
  }
  clock.advance(299);
  expect(watchdog.signal.aborted).toBe(false);
  clock.advance(1);
  expect(watchdog.signal.reason).toMatchObject({ code: "remote-cut" });
});

test.each([
  { state: "nobody connects", touches: 0, afterMs: 1000, says: "could not be connected to within 1 s" },
  { state: "nobody answers", touches: 1, afterMs: 300, says: "did not answer within 0.3 s" },
])("where $state the remote is unreachable", ({ touches, afterMs, says }) => {
  const clock = createSimulatedClock();
  using watchdog = new Watchdog(clock, patience);
  for (let touch = 0; touch < touches; touch++) watchdog.touch();
  clock.advance(afterMs - 1);
  expect(watchdog.signal.aborted).toBe(false);
  clock.advance(1);
  expect(watchdog.signal.reason).toMatchObject({
    code: "remote-unreachable",
    message: expect.stringContaining(says) as string,
  });
});

test("nothing is left behind", () => {
  const clock = createSimulatedClock();
  const watchdog = new Watchdog(clock, patience);
  watchdog.touch();
  watchdog[Symbol.dispose]();
  expect(clock.armed).toBe(0);
});

test("a server that accepts and does not speak TLS is not waited for longer than a connection may take", async () => {
  const clock = createSimulatedClock();
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const silent = createServer(() => resolve());
  await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
  try {
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/x.git`;
    const reading = opened(url, { clock, patience: { connectMs: 5000, silenceMs: 60_000 } }).refs([], patient);
    const result = reading.catch((error: unknown) => error);
    await connected;
    clock.advance(4999);
    expect(await Promise.race([result, new Promise((settle) => setImmediate(settle, "waiting"))])).toBe("waiting");
    clock.advance(1);
    expect(await result).toMatchObject({ code: "remote-unreachable" });
  } finally {
    silent.close();
  }
});
