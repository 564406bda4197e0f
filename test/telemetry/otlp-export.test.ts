import { describe, expect, test } from "vitest";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { OtlpExport, type OtlpExportOptions } from "../../src/telemetry/otlp-export.ts";
import { type ChangeSpan, ChangeTraces } from "../../src/telemetry/change-traces.ts";
import { createRecorder } from "../admission/recorder.ts";
import { committedChange, flushOf, unnamed } from "./changes.ts";

type Answer = number | "silence" | Error;

function createWorld() {
  const clock = createSimulatedClock();
  const recorder = createRecorder();
  const posts: string[] = [];
  const world = { clock, recorder, posts, answer: 200 as Answer };
  const post = (what: string) => async (body: Uint8Array, signal: AbortSignal) => {
    posts.push(`${what} ${body.length}`);
    const { answer } = world;
    if (answer instanceof Error) throw answer;
    if (answer !== "silence") return answer;
    return await new Promise<number>((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
    });
  };
  const options: OtlpExportOptions = {
    clock,
    meter: recorder.meter,
    log: recorder.log,
    endpoint: "http://collector:4318",
    postMetrics: post("metrics"),
    postTraces: post("traces"),
    collect: async () => ({ resource: undefined, scopeMetrics: [] }) as never,
    // One byte for each span.
    encode: { metrics: () => new Uint8Array(1), spans: (spans) => new Uint8Array(spans.length) },
  };
  return { ...world, world, sending: new OtlpExport(options) };
}

/** Three for each change. */
function spansOf(changes: number): readonly ChangeSpan[] {
  const spans: ChangeSpan[] = [];
  const traces = new ChangeTraces({ ratio: 1, take: (taken) => spans.push(...taken) });
  traces.committed(flushOf(Array.from({ length: changes }, (_, at) => unnamed(committedChange({ version: at + 1 })))));
  return spans;
}

describe("what is sent by OTLP", () => {
  test("is sent every ten seconds, and at the end", async () => {
    const { clock, posts, sending } = createWorld();
    sending.take(spansOf(1));
    expect(posts).toEqual([]);
    await clock.run(10_000);
    expect(posts).toEqual(["metrics 1", "traces 3"]);
    await clock.run(10_000);
    expect(posts).toEqual(["metrics 1", "traces 3", "metrics 1"]);
    sending.take(spansOf(2));
    await clock.until(sending[Symbol.asyncDispose]());
    expect(posts.slice(3)).toEqual(["metrics 1", "traces 6"]);
    expect(clock.armed).toBe(0);
  });

  test("goes at once when there is much of it, in batches", async () => {
    const { clock, posts, sending } = createWorld();
    sending.take(spansOf(400));
    await clock.run(0);
    expect(posts).toEqual(["traces 512", "traces 512", "traces 176"]);
    await clock.until(sending[Symbol.asyncDispose]());
  });

  test.each<readonly [string, Answer]>([
    ["503", 503],
    ["a connection that is refused", new Error("connect ECONNREFUSED 127.0.0.1:4318")],
    ["no answer", "silence"],
  ])("waits for an endpoint that is away (%s), and is told of once", async (_, answer) => {
    const { clock, posts, sending, world, recorder } = createWorld();
    world.answer = answer;
    sending.take(spansOf(1));
    await clock.run(60_000);
    expect(posts.filter((each) => each === "traces 3").length).toBeGreaterThan(1);
    expect(recorder.counted("otlp_spans_dropped")).toBe(0);
    world.answer = 200;
    await clock.run(30_000);
    expect(recorder.counted("otlp_exports{traces,sent}")).toBe(1);
    const warnings = recorder.lines.filter((line) => line.includes("did not take") && line.includes("traces"));
    expect(warnings).toHaveLength(1);
    expect(recorder.lines.filter((line) => line.includes("takes what is sent again"))).toHaveLength(2);
    await clock.until(sending[Symbol.asyncDispose]());
  });

  test("is bounded: of the spans that wait too long the oldest go, counted", async () => {
    const { clock, sending, world, recorder, posts } = createWorld();
    world.answer = new Error("away");
    for (let at = 0; at < 10; at += 1) {
      sending.take(spansOf(400));
      await clock.run(10_000);
    }
    expect(recorder.counted("otlp_spans_dropped")).toBe(2000);
    world.answer = 200;
    posts.length = 0;
    await clock.until(sending[Symbol.asyncDispose]());
    const sent = posts.filter((each) => each.startsWith("traces")).map((each) => Number(each.split(" ")[1]));
    expect(sent.reduce((sum, spans) => sum + spans, 0)).toBe(10_000);
  });

  test("is not sent again where it is refused", async () => {
    const { clock, sending, world, recorder, posts } = createWorld();
    world.answer = 400;
    sending.take(spansOf(1));
    await clock.run(10_000);
    expect(recorder.counted("otlp_spans_dropped")).toBe(3);
    await clock.run(10_000);
    expect(posts.filter((each) => each.startsWith("traces"))).toHaveLength(1);
    await clock.until(sending[Symbol.asyncDispose]());
  });

  test("holds nobody up at the end: a silent endpoint is waited for for three seconds", async () => {
    const { clock, sending, world } = createWorld();
    world.answer = "silence";
    await clock.run(10_001);
    const before = clock.monotonicMs();
    await clock.until(sending[Symbol.asyncDispose]());
    expect(clock.monotonicMs() - before).toBeLessThanOrEqual(3000);
    expect(clock.armed).toBe(0);
  });
});
