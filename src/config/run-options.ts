/** From argv to RunOptions and VerifyOptions. */

import type {
  Bounds,
  Durability,
  Installation,
  RunOptions,
  TelemetryOptions,
  TlsFiles,
  VerifyOptions,
} from "./options.ts";
import { runOptionTable, verifyOptionTable } from "./option-table.ts";
import type { ParsedOptions } from "./parse-options.ts";
import { isName, nameExpected } from "./kubernetes-names.ts";
import { parseOptions } from "./parse-options.ts";
import type { Problem } from "./problem.ts";
import { configurationError, quoted } from "./problem.ts";

/** `cwd`: what relative paths are relative to. Throws a KubescribeError (`configuration-invalid`). */
export function parseRunOptions(argv: readonly string[], cwd: string): RunOptions {
  const parsed = parseOptions(argv, { table: runOptionTable, cwd });
  const problems: Problem[] = [];
  const installation = installationOf(parsed, problems);
  const tls = tlsOf(parsed, installation, problems);
  if (problems.length > 0) throw configurationError(problems);
  return {
    kubeconfig: parsed.textOrNull("kubeconfig"),
    config: parsed.textOrNull("config"),
    installation,
    allow: allowOf(parsed),
    admission: {
      address: parsed.address("admission-address"),
      tls,
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
    config: parsed.textOrNull("config"),
    namespace: parsed.text("namespace"),
    allow: allowOf(parsed),
    credentialsDir: parsed.textOrNull("credentials-dir"),
    dataDir: parsed.text("data-dir"),
    installationKeyFile: parsed.textOrNull("installation-key-file"),
    json: parsed.flag("json"),
  };
}

function allowOf(parsed: ParsedOptions): readonly string[] {
  return (parsed.textOrNull("allow") ?? "").split(",").filter((prefix) => prefix !== "");
}

function installationOf(parsed: ParsedOptions, problems: Problem[]): Installation | null {
  const name = parsed.textOrNull("installation");
  const parts = installationParts.map((part) => ({ part, value: parsed.textOrNull(part) }));
  if (name === null) {
    for (const { part, value } of parts)
      if (value !== null)
        problems.push(problem(`--${part} means something for an installation only: add --installation NAME`));
    return null;
  }
  for (const { part, value } of parts)
    if (value === null) problems.push(problem(`--${part} is missing: an installation needs it`));
  if (!isName(name)) problems.push(problem(`--installation: expected ${nameExpected}, found ${quoted(name)}`));
  const [namespace, podName, podAddress] = parts.map(({ value }) => value ?? "");
  return {
    name,
    namespace: namespace ?? "",
    podName: podName ?? "",
    podAddress: podAddress ?? "",
    webhookDir: parsed.textOrNull("webhook-dir"),
    renewalWaitSeconds: parsed.number("renewal-wait-seconds"),
  };
}

const installationParts = ["namespace", "pod-name", "pod-address"] as const;

/** Both files, or neither where the installation has a Secret for them. */
function tlsOf(parsed: ParsedOptions, installation: Installation | null, problems: Problem[]): TlsFiles | null {
  const certFile = parsed.textOrNull("tls-cert-file");
  const keyFile = parsed.textOrNull("tls-key-file");
  if (certFile !== null && keyFile !== null) return { certFile, keyFile };
  if (certFile === null && keyFile === null && installation !== null) return null;
  if (certFile === null)
    problems.push(
      problem("--tls-cert-file is missing: expected --tls-cert-file FILE, certificate of the admission server, PEM"),
    );
  if (keyFile === null)
    problems.push(problem("--tls-key-file is missing: expected --tls-key-file FILE, its private key, PEM"));
  return null;
}

function problem(message: string): Problem {
  return { place: null, path: "", message };
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
