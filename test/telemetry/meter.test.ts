import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { labelSetCapacity } from "../../src/telemetry/label-sets.ts";
import { createPrometheusMeter } from "../../src/telemetry/meter.ts";
import { metrics } from "../../src/telemetry/metrics.ts";

const contract = [
  "webhook_requests_total",
  "webhook_correlations_total",
  "watch_events_total",
  "watch_enrich_hits_total",
  "watch_enrich_misses_total",
  "correlation_misses_total",
  "watch_manager_heartbeat",
  "events_processed_total",
];

async function linesOf(meter: ReturnType<typeof createPrometheusMeter>): Promise<readonly string[]> {
  return (await meter.exposition()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

describe("the meter", () => {
  test.each(contract)("has %s from the start, with the value 0", async (name) => {
    await using meter = createPrometheusMeter();
    expect(await linesOf(meter)).toContain(`${name} 0`);
  });

  test("has no events_received_total", async () => {
    await using meter = createPrometheusMeter();
    expect(await meter.exposition()).not.toContain("events_received");
  });

  test("counts, with and without labels", async () => {
    await using meter = createPrometheusMeter();
    meter.count("webhook_requests");
    meter.count("webhook_requests", {}, 2);
    meter.count("watch_events", { type: "core/configmaps" }, 3);
    meter.count("watch_events", { type: "apps/deployments" });
    meter.count("watch_events", { type: "apps/deployments" });
    const lines = await linesOf(meter);
    expect(lines).toContain("webhook_requests_total 3");
    expect(lines).toContain('watch_events_total{type="core/configmaps"} 3');
    expect(lines).toContain('watch_events_total{type="apps/deployments"} 2');
    expect(lines).not.toContain("watch_events_total 0");
  });

  test("records seconds in buckets from 0.1 ms on", async () => {
    await using meter = createPrometheusMeter();
    meter.record("webhook_duration_seconds", 0.000_05);
    meter.record("webhook_duration_seconds", 0.7);
    const lines = await linesOf(meter);
    expect(lines).toContain('webhook_duration_seconds_bucket{le="0.0001"} 1');
    expect(lines).toContain('webhook_duration_seconds_bucket{le="1"} 2');
    expect(lines).toContain("webhook_duration_seconds_count 2");
  });

  test("asks a gauge when somebody looks, and the last one registered", async () => {
    await using meter = createPrometheusMeter();
    let depth = 1;
    meter.gauge("queue_depth", () => -1, { target: "a/b" });
    meter.gauge("queue_depth", () => depth, { target: "a/b" });
    depth = 7;
    expect(await linesOf(meter)).toContain('queue_depth{target="a/b"} 7');
  });

  test("shows no 0 that would say something", async () => {
    await using meter = createPrometheusMeter();
    const lines = async (): Promise<readonly string[]> =>
      (await linesOf(meter)).filter((line) => line.startsWith("process_resident_memory_bytes"));
    expect(await lines()).toEqual([]);
    meter.gauge("process_resident_memory_bytes", () => 0);
    expect(await lines()).toEqual(["process_resident_memory_bytes 0"]);
  });

  test("a gauge that cannot be read takes no other along", async () => {
    await using meter = createPrometheusMeter();
    meter.gauge("queue_bytes", () => {
      throw new Error("broken");
    });
    meter.gauge("watches", () => 2);
    meter.gauge("detached", () => Number.NaN, { target: "a/b" });
    const lines = await linesOf(meter);
    expect(lines).toContain("watches 2");
    expect(lines.some((line) => line.startsWith("queue_bytes"))).toBe(false);
    expect(lines.some((line) => line.includes("a/b"))).toBe(false);
  });

  test("bounds the label sets of a metric, and their values", async () => {
    await using meter = createPrometheusMeter();
    for (let index = 0; index < labelSetCapacity + 50; index++) {
      meter.count("webhook_rejected", { reason: `reason-${index}\n"forged` });
    }
    const lines = (await linesOf(meter)).filter((line) => line.startsWith("webhook_rejected_total"));
    expect(lines).toHaveLength(labelSetCapacity + 1);
    expect(lines).toContain('webhook_rejected_total{reason="other"} 50');
    expect(lines).toContain(String.raw`webhook_rejected_total{reason="reason-0?\"forged"} 1`);
    expect(await linesOf(meter)).toContain("metric_labels_dropped_total 50");
  });

  test("two values that are the same once they are cut are one line", async () => {
    await using meter = createPrometheusMeter();
    const account = "system:serviceaccount:shop:".padEnd(200, "x");
    meter.count("webhook_rejected", { reason: `${account}1` });
    meter.count("webhook_rejected", { reason: `${account}2` });
    const lines = (await linesOf(meter)).filter((line) => line.startsWith("webhook_rejected_total"));
    expect(lines).toEqual([`webhook_rejected_total{reason="${account.slice(0, 128)}"} 2`]);
  });
});

describe("the catalogue", () => {
  test("names every metric that the code uses", () => {
    const known = new Set(metrics.map(({ name }) => name));
    const unknown = [...usedNames()].filter((name) => !known.has(name));
    expect(unknown).toEqual([]);
  });

  test("is what docs/METRICS.md says", () => {
    const rows = metrics.map(({ name, kind, labels, help }) => {
      const shown = kind === "counter" ? `${name}_total` : name;
      return `| \`${shown}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`;
    });
    const page = readFileSync(new URL("../../docs/METRICS.md", import.meta.url), "utf8");
    expect(page.split("\n").filter((line) => line.startsWith("| `"))).toEqual(rows);
  });
});

function usedNames(): ReadonlySet<string> {
  const root = new URL("../../", import.meta.url);
  const names = new Set<string>();
  for (const folder of ["actors", "src"]) {
    for (const file of readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts") || file.startsWith("telemetry")) continue;
      const text = readFileSync(new URL(`${folder}/${file}`, root), "utf8");
      for (const match of text.matchAll(/meter\s*\.(?:count|record|gauge)\(\s*"([a-z_]+)"/g)) names.add(match[1] ?? "");
    }
  }
  return names;
}
