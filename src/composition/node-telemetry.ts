/** What of a process is told beyond the Prometheus text: its own meters, a line for each change, OTLP. */

import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import type { Log } from "../../actors/ports.ts";
import type { LogLevel, TelemetryOptions } from "../config/options.ts";
import { type ChangeFollower, followerOf } from "../telemetry/change-follower.ts";
import { createChangeLog } from "../telemetry/change-log.ts";
import type { PrometheusMeter } from "../telemetry/meter.ts";
import { nodeClock as clock } from "./node-clock.ts";

export interface Telemetry extends AsyncDisposable {
  /** Null: nobody follows changes one by one. */
  readonly follower: ChangeFollower | null;
}

export interface TelemetryNeeds {
  readonly meter: PrometheusMeter;
  readonly log: Log;
}

/** To be disposed of behind the engine and before the meter: the last metrics and spans are sent then. */
export async function openTelemetry(
  { logLevel, telemetry }: { readonly logLevel: LogLevel; readonly telemetry: TelemetryOptions },
  { meter, log }: TelemetryNeeds,
): Promise<Telemetry> {
  meter.gauge("process_resident_memory_bytes", () => process.memoryUsage.rss());
  meter.gauge("process_cpu_seconds", cpuSeconds);
  const followers: ChangeFollower[] = logLevel === "debug" ? [createChangeLog(log)] : [];
  const { otlpEndpoint: endpoint, traceRatio } = telemetry;
  await using stack = new AsyncDisposableStack();
  if (endpoint !== null) {
    // Loaded where they are asked for alone: they cost memory, and time at the start.
    const [{ OtlpEncoder }, { OtlpExport }, { connectOtlp }] = await Promise.all([
      import("../telemetry/otlp-encode.ts"),
      import("../telemetry/otlp-export.ts"),
      import("../telemetry/otlp-post.ts"),
    ]);
    const connection = stack.use(connectOtlp(endpoint));
    const sending = stack.use(
      new OtlpExport({
        clock,
        meter,
        log,
        endpoint,
        postMetrics: connection.postTo("/v1/metrics"),
        postTraces: connection.postTo("/v1/traces"),
        collect: () => meter.collect(),
        encode: new OtlpEncoder({ version: await versionOf(), instance: hostname() }),
      }),
    );
    if (traceRatio > 0) {
      const { ChangeTraces } = await import("../telemetry/change-traces.ts");
      followers.push(new ChangeTraces({ ratio: traceRatio, take: (spans) => sending.take(spans) }));
    }
  }
  const owned = stack.move();
  return { follower: followerOf(followers), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function versionOf(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
