import { describe, expect, test } from "vitest";
import { type ChangeSpan, ChangeTraces, traceIdOf } from "../../src/telemetry/change-traces.ts";
import { committedChange, flushOf, reviewOf, unnamed } from "./changes.ts";

function tracing(ratio = 1): { readonly traces: ChangeTraces; readonly spans: ChangeSpan[] } {
  const spans: ChangeSpan[] = [];
  return { traces: new ChangeTraces({ ratio, take: (taken) => spans.push(...taken) }), spans };
}

const times = (spans: readonly ChangeSpan[]): readonly string[] =>
  spans.map(({ name, startMs, endMs }) => `${name} ${startMs}-${endMs}`).toSorted();
const push = { startedAtMs: 1080, endedAtMs: 1200, whole: true };

describe("the trace of a change", () => {
  test("has its review, its event, its actor, its flush and its push, below one root", () => {
    const { traces, spans } = tracing();
    const change = committedChange({ version: 7 });
    traces.answered(reviewOf(change), 2.5);
    traces.committed(flushOf([change]));
    traces.pushed("default/history", push);
    expect(times(spans)).toEqual([
      "actor 1040-1041.5",
      "change 1000-1070",
      "event 1002.5-1040",
      "flush 1060-1070",
      "push 1080-1200",
      "review 1000-1002.5",
    ]);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([traceIdOf(change)]));
    const root = spans.find(({ name }) => name === "change");
    expect(root).toMatchObject({
      parentId: null,
      attributes: {
        "kubescribe.resource": "core/v1/configmaps default/a",
        "kubescribe.uid": "uid-a",
        "kubescribe.resource_version": "7",
        "kubescribe.operation": "UPDATE",
        "kubescribe.attribution": "exact",
      },
    });
    const others = spans.filter(({ name }) => name !== "change");
    expect(new Set(others.map(({ parentId }) => parentId))).toEqual(new Set([root?.spanId]));
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(6);
    for (const { traceId, spanId } of spans) {
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(spanId).toMatch(/^[0-9a-f]{16}$/);
    }
    expect(spans.find(({ name }) => name === "flush")?.attributes).toEqual({
      "kubescribe.target": "default/history",
      "kubescribe.commit": "commit-7",
    });
  });

  test("names nobody", () => {
    const { traces, spans } = tracing();
    const change = committedChange({ version: 7, user: "alice@example.com" });
    traces.answered(reviewOf(change, "alice@example.com"), 1);
    traces.committed(flushOf([change]));
    expect(JSON.stringify(spans)).not.toContain("alice");
  });

  test("without a review begins with its event", () => {
    const { traces, spans } = tracing();
    traces.committed(flushOf([unnamed(committedChange({ version: 7 }))]));
    expect(times(spans)).toEqual(["actor 1040-1041.5", "change 1040-1070", "flush 1060-1070"]);
  });

  test("goes to several targets, with one beginning", () => {
    const { traces, spans } = tracing();
    const change = committedChange({ version: 7 });
    traces.committed(flushOf([change], "a/one"));
    traces.committed(flushOf([change], "b/two"));
    traces.pushed("b/two", push);
    expect(spans.map(({ name }) => name).toSorted()).toEqual([
      "actor",
      "change",
      "event",
      "flush",
      "flush",
      "push",
      "review",
    ]);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(7);
  });

  test("never ends before it begins, whatever the wall clock does", () => {
    const { traces, spans } = tracing();
    traces.committed(flushOf([committedChange({ version: 7, atMs: 5000, observedAtMs: 4000 })]));
    for (const { startMs, endMs } of spans) expect(endMs).toBeGreaterThanOrEqual(startMs);
  });
});

describe("a push", () => {
  test("is of what was committed before it began, and of nothing else", () => {
    const { traces, spans } = tracing();
    traces.committed(flushOf([committedChange({ version: 7 })]));
    traces.committed({ ...flushOf([committedChange({ version: 8 })]), endedAtMs: 1081 });
    traces.pushed("default/other", push);
    const pushes = (): readonly ChangeSpan[] => spans.filter(({ name }) => name === "push");
    expect(pushes()).toEqual([]);
    traces.pushed("default/history", { ...push, whole: false });
    expect(pushes()).toEqual([]);
    traces.pushed("default/history", push);
    expect(pushes().map(({ traceId }) => traceId)).toEqual([traceIdOf(committedChange({ version: 7 }))]);
    traces.pushed("default/history", { ...push, startedAtMs: 1300, endedAtMs: 1310 });
    traces.pushed("default/history", { ...push, startedAtMs: 1400, endedAtMs: 1410 });
    expect(pushes()).toHaveLength(2);
  });
});

describe("a ratio", () => {
  test("follows that share of the changes, and the same ones everywhere", () => {
    const changes = Array.from({ length: 4000 }, (_, at) => committedChange({ version: at + 1 }));
    const followed = (ratio: number): ReadonlySet<string> => {
      const { traces, spans } = tracing(ratio);
      traces.committed(flushOf(changes));
      return new Set(spans.map(({ traceId }) => traceId));
    };
    const tenth = followed(0.1);
    expect(tenth.size).toBeGreaterThan(300);
    expect(tenth.size).toBeLessThan(500);
    expect(followed(0.1)).toEqual(tenth);
    expect(tenth.difference(followed(0.5)).size).toBe(0);
    expect(followed(0).size).toBe(0);
    expect(followed(1).size).toBe(4000);
  });
});
