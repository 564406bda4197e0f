import { describe, expect, test } from "vitest";

import { Coverage } from "../../actors/coverage.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";

const startMs = 1_700_000_000_000;

function world() {
  const clock = createSimulatedClock(startMs);
  const told: string[] = [];
  const coverage = new Coverage({
    clock,
    tell: ({ fromMs, toMs, reasons }) => {
      const to = toMs === null ? "on" : String(toMs - startMs);
      told.push(`${fromMs - startMs} ${to} ${reasons.map(({ code }) => code).join(" ")}`);
    },
  });
  return { clock, told, coverage };
}

const reason = (code: string) => ({ code, message: `it was ${code}` });
const because = (...codes: readonly string[]) => ({ reasons: codes.map(reason) });

describe("blind times", () => {
  test("a short one is told when it is over", async () => {
    const { clock, told, coverage } = world();
    coverage.blind("listener", because("failed"));
    await clock.run(9_999);
    coverage.seeing("listener");
    await clock.run(60_000);
    expect(told).toEqual(["0 9999 failed"]);
    expect(clock.armed).toBe(0);
  });

  test("one that goes on is told after the grace, and again when it is over", async () => {
    const { clock, told, coverage } = world();
    coverage.blind("webhook", because("missing"));
    await clock.run(10_000);
    expect(told).toEqual(["0 on missing"]);
    await clock.run(50_000);
    coverage.seeing("webhook");
    expect(told).toEqual(["0 on missing", "0 60000 missing"]);
  });

  test("of several sources is one, from the first that is blind to the last that sees", async () => {
    const { clock, told, coverage } = world();
    coverage.blind("listener", because("failed"));
    await clock.run(1000);
    coverage.blind("webhook", because("missing", "altered"));
    coverage.blind("webhook", because("missing"));
    await clock.run(1000);
    coverage.seeing("listener");
    expect(told).toEqual([]);
    expect(coverage.now).toMatchObject({ fromMs: startMs, toMs: null });
    await clock.run(1000);
    coverage.seeing("webhook");
    expect(told).toEqual(["0 3000 failed missing altered"]);
    expect(coverage.now).toBeNull();
  });

  test("may have begun before anybody knew", async () => {
    const { clock, told, coverage } = world();
    coverage.blind("process", { ...because("down"), sinceMs: startMs - 5000.5 });
    await clock.run(5);
    coverage.seeing("process");
    expect(told).toEqual(["-5001 5 down"]);
  });

  test("never begins in the future or ends before it began, wherever the clock jumps", async () => {
    const { clock, told, coverage } = world();
    coverage.blind("process", { ...because("down"), sinceMs: startMs + 5000 });
    clock.jump(-3000);
    coverage.seeing("process");
    expect(told).toEqual(["0 1 down"]);
  });

  test("does not follow from a source that sees all along", () => {
    const { told, coverage } = world();
    coverage.seeing("listener");
    expect(told).toEqual([]);
  });

  test("a rule that was narrowed is a moment", async () => {
    const { clock, told, coverage } = world();
    await clock.run(7);
    coverage.narrowed(reason("narrowed"));
    expect(told).toEqual(["7 7 narrowed"]);
  });

  test("nothing is said any more once it is disposed of", async () => {
    const { clock, told, coverage } = world();
    coverage.blind("listener", because("failed"));
    coverage[Symbol.dispose]();
    await clock.run(60_000);
    expect([told, clock.armed]).toEqual([[], 0]);
  });
});
