import { expect, test } from "vitest";
import { createPrometheusMeter } from "../../src/telemetry/meter.ts";
import { OtlpEncoder } from "../../src/telemetry/otlp-encode.ts";
import { metricsOf, spansOf } from "./otlp-messages.ts";

const encoder = new OtlpEncoder({ version: "1.2.3", instance: "kubescribe-0" });

test("spans are sent as they are, to the microsecond", () => {
  const traceId = "0123456789abcdef0123456789abcdef";
  const shared = { traceId, startMs: 1_700_000_000_123.25, attributes: { "kubescribe.uid": "ü\u0000" } };
  const root = { ...shared, spanId: "00000000000000aa", parentId: null, name: "change", endMs: 1_700_000_000_200 };
  const review = {
    ...shared,
    spanId: "00000000000000bb",
    parentId: root.spanId,
    name: "review",
    endMs: shared.startMs,
  };
  const sent = spansOf(
    encoder.spans([
      { ...root, name: "change" },
      { ...review, name: "review" },
    ]),
  );
  const resource = {
    "service.name": "kubescribe",
    "service.version": "1.2.3",
    "service.instance.id": "kubescribe-0",
  };
  expect(sent.map(({ startMs: _start, endMs: _end, ...span }) => span)).toEqual([
    { traceId, spanId: root.spanId, parentId: "", name: "change", attributes: shared.attributes, resource },
    { traceId, spanId: review.spanId, parentId: root.spanId, name: "review", attributes: shared.attributes, resource },
  ]);
  expect(sent[0]?.startMs).toBeCloseTo(shared.startMs, 2);
  expect(sent[0]?.endMs).toBeCloseTo(root.endMs, 2);
});

test("metrics are what the exposition has", async () => {
  await using meter = createPrometheusMeter();
  meter.count("watch_events", { type: "core/configmaps" }, 3);
  meter.gauge("queue_depth", () => 7.5, { target: "a/b" });
  meter.record("watch_lag_seconds", 0.2);
  meter.record("watch_lag_seconds", 3);
  const sent = new Map(metricsOf(encoder.metrics(await meter.collect())).map((metric) => [metric.name, metric]));
  expect(sent.get("watch_events")).toMatchObject({ kind: "sum", isMonotonic: true });
  expect(sent.get("watch_events")?.points).toEqual(new Map([["type=core/configmaps", 3]]));
  expect(sent.get("queue_depth")).toMatchObject({ kind: "gauge" });
  expect(sent.get("queue_depth")?.points).toEqual(new Map([["target=a/b", 7.5]]));
  expect(sent.get("watch_lag_seconds")).toMatchObject({ kind: "histogram" });
  expect(sent.get("watch_lag_seconds")?.points).toEqual(new Map([["", 2]]));
  expect(sent.get("webhook_requests")?.points).toEqual(new Map([["", 0]]));
});
