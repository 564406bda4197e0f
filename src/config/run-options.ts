/** From argv to RunOptions and VerifyOptions. */

import type { Bounds, Durability, RunOptions, TelemetryOptions, VerifyOptions } from "./options.ts";
import { runOptionTable, verifyOptionTable } from "./option-table.ts";
import type { ParsedOptions } from "./parse-options.ts";
import { parseOptions } from "./parse-options.ts";
import { configurationError } from "./problem.ts";

/** `cwd`: what relative paths are relative to. Throws a KubescribeError (`configuration-invalid`). */
export function parseRunOptions(argv: readonly string[], cwd: string): RunOptions {
  const parsed = parseOptions(argv, { table: runOptionTable, cwd });
  return {
    kubeconfig: parsed.textOrNull("kubeconfig"),
    config: parsed.text("config"),
    admission: {
      address: parsed.address("admission-address"),
      tlsCertFile: parsed.text("tls-cert-file"),
      tlsKeyFile: parsed.text("tls-key-file"),
      path: parsed.text("admission-path"),
    },
    metrics: parsed.address("metrics-address"),
    dataDir: parsed.text("data-dir"),
    credentialsDir: parsed.textOrNull("credentials-dir"),
    installationKeyFile: parsed.textOrNull("installation-key-file"),
    ingestion: parsed.text("ingestion") === "dual" ? "dual" : "correlate",
    attribution: parsed.text("attribution") === "fifo" ? "fifo" : "exact",
    durability: durabilityOf(parsed),
    bounds: boundsOf(parsed),
    logLevel: levels.find((level) => level === parsed.text("log-level")) ?? "info",
    logFormat: formats.find((format) => format === parsed.text("log-format")) ?? "auto",
    telemetry: telemetryOf(parsed),
  };
}

function telemetryOf(parsed: ParsedOptions): TelemetryOptions {
  const otlpEndpoint = parsed.textOrNull("otlp-endpoint");
  const traceRatio = parsed.number("trace-ratio");
  if (otlpEndpoint !== null || traceRatio === 0) return { otlpEndpoint, traceRatio };
  const message = "--trace-ratio expected --otlp-endpoint beside it, which says where traces go, found none";
  throw configurationError([{ place: null, path: "", message }]);
}

export function parseVerifyOptions(argv: readonly string[], cwd: string): VerifyOptions {
  const parsed = parseOptions(argv, { table: verifyOptionTable, cwd });
  return {
    kubeconfig: parsed.textOrNull("kubeconfig"),
    config: parsed.text("config"),
    credentialsDir: parsed.textOrNull("credentials-dir"),
    dataDir: parsed.text("data-dir"),
    installationKeyFile: parsed.textOrNull("installation-key-file"),
    json: parsed.flag("json"),
  };
}

const levels = ["debug", "info", "warn", "error"] as const;
const formats = ["auto", "human", "json"] as const;

function durabilityOf(parsed: ParsedOptions): Durability {
  return parsed.text("durability") === "second" ? "second" : "flush";
}

function boundsOf(parsed: ParsedOptions): Bounds {
  return {
    pendingPerResource: parsed.number("pending-per-resource"),
    pendingTotal: parsed.number("pending-total"),
    pendingContentBytes: parsed.number("pending-content-bytes"),
    pendingTtlSeconds: parsed.number("pending-ttl-seconds"),
    freshnessSeconds: parsed.number("freshness-seconds"),
    mailboxCapacity: parsed.number("mailbox-capacity"),
    // `second` is a window of a second, unless a longer one is asked for.
    batchWindowMs: Math.max(parsed.number("batch-window-ms"), durabilityOf(parsed) === "second" ? 1000 : 0),
    flushChanges: parsed.number("flush-changes"),
    flushBytes: parsed.number("flush-bytes"),
    backlogBytes: parsed.number("backlog-bytes"),
    snapshotWaitSeconds: parsed.number("snapshot-wait-seconds"),
    verdictLogEntries: parsed.number("verdict-log-entries"),
    cursorCopySeconds: parsed.number("cursor-copy-seconds"),
    commitThreads: parsed.number("commit-threads"),
    reviewBytes: parsed.number("review-bytes"),
    reviewTotalBytes: parsed.number("review-total-bytes"),
    reviewConnections: parsed.number("review-connections"),
    journalBytes: parsed.number("journal-bytes"),
    journalSync: parsed.flag("journal-sync"),
    drainSeconds: parsed.number("drain-seconds"),
  };
}
