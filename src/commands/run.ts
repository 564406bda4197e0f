/** `kubescribe run`: checks everything that can be checked, then starts the engine and waits for its end. */

import type { Clock, FileSystem, Log, Meter } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { optionHelp } from "../config/help.ts";
import type { RuleDocument } from "../config/documents.ts";
import type { RunOptions } from "../config/options.ts";
import { runOptionTable } from "../config/option-table.ts";
import { checkRun } from "./check-run.ts";
import { exitDone } from "./command-line.ts";

export const runHelp = `Usage: kubescribe run --config FILE|DIR --tls-cert-file FILE --tls-key-file FILE [OPTIONS]

Watches a cluster and commits every change to Git by whoever made it. Who did it comes from a validating
webhook that sends its reviews to the admission address; without one, commits are made all the same, by
"unresolved". docs/CONFIGURATION.md has the rule documents and the webhook's manifest.

Examples:
  kubescribe run --kubeconfig ~/.kube/config --config rules.yaml \\
    --tls-cert-file tls.crt --tls-key-file tls.key --data-dir ./data
  kubescribe run --config /etc/kubescribe --tls-cert-file /tls/tls.crt --tls-key-file /tls/tls.key \\
    --admission-path /correlate/3f9c2a71d0 --metrics-address 0.0.0.0:8080    (in a pod)

${optionHelp(runOptionTable)}

  --help                          this text
  --version                       the version

Sizes are bytes, or such as 64Mi. At a bound kubescribe slows down or loses authors, counted; never changes.
`;

export interface EnginePlan {
  readonly options: RunOptions;
  /** Checked; compiled against the types that the cluster serves when the engine has asked for them. */
  readonly documents: readonly RuleDocument[];
}

export interface RunningEngine extends AsyncDisposable {
  /** Resolves when every watch is synced and every repository writable. */
  readonly ready: Promise<void>;
  /** Rejects with the fault that nothing but a person can mend; otherwise pending until disposed of. */
  readonly failed: Promise<never>;
  /** HOST:PORT that reviews are taken at; known when `ready` is. */
  admissionAddress(): string;
  /** Ends what is recorded, and goes on under these rules. Resolves when the watches have begun again; reviews are taken meanwhile. */
  follow(documents: readonly RuleDocument[]): Promise<void>;
  /** Resolves when what was observed so far is committed. */
  drain(): Promise<void>;
}

export interface RunPorts {
  readonly clock: Clock;
  readonly files: FileSystem;
  readonly meter: Meter;
  readonly log: Log;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly startEngine: (plan: EnginePlan) => Promise<RunningEngine>;
}

/** Resolves to the exit code, after an orderly end. */
export async function run(options: RunOptions, ports: RunPorts): Promise<number> {
  const { log, signal } = ports;
  const documents = await checkRun(options, ports);
  if (signal.aborted) return exitDone;
  await using engine = await started(options, documents, ports);
  if (engine === null) {
    log.info("Stopping.");
    return exitDone;
  }
  const stopped = new Promise<"stopped">((resolve) => {
    if (signal.aborted) resolve("stopped");
    signal.addEventListener("abort", () => resolve("stopped"), { once: true });
  });
  const first = await Promise.race([engine.ready, engine.failed, stopped]);
  if (first !== "stopped") {
    log.info("Ready: every watch is synced.");
    await Promise.race([engine.failed, stopped]);
  }
  log.info("Stopping.");
  return exitDone;
}

/** Null: stopped while it waited for the cluster. That it was not there yet is in the log, and no failure of this process. */
async function started(
  options: RunOptions,
  documents: readonly RuleDocument[],
  { startEngine, signal }: RunPorts,
): Promise<RunningEngine | null> {
  try {
    return await startEngine({ options, documents });
  } catch (error) {
    if (signal.aborted && error instanceof KubescribeError && error.retry === "backoff") return null;
    throw error;
  }
}
