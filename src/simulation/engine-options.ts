/** What the simulated kubescribe is told, as on the command line. */

import type { RunOptions } from "../config/options.ts";
import { parseRunOptions } from "../config/run-options.ts";
import type { Plan } from "./plan.ts";

const always = [
  ["--kubeconfig", "/etc/kubeconfig"],
  ["--config", "/etc/rules.yaml"],
  ["--tls-cert-file", "/tls/tls.crt"],
  ["--tls-key-file", "/tls/tls.key"],
  ["--data-dir", "/data"],
  ["--cursor-copy-seconds", "5"],
  ["--snapshot-wait-seconds", "2"],
];

const tight = [
  ["--pending-per-resource", "2"],
  ["--pending-total", "8"],
  ["--pending-content-bytes", "3000"],
  ["--verdict-log-entries", "10"],
  ["--flush-changes", "4"],
];

/** Less than the command line takes: few objects are enough to fall behind. */
const tightBacklogBytes = 12_000;
/** Longer than any request takes. */
const shortTtl = ["--pending-ttl-seconds", "7"];

export function optionsOf(plan: Plan): RunOptions {
  const flags = [
    ...always,
    ...(plan.tightBounds ? tight : []),
    ...(plan.shortTtl ? [shortTtl] : []),
    ...(plan.powerLoss ? [["--journal-sync"]] : []),
  ];
  const options = parseRunOptions(flags.flat(), "/");
  return plan.tightBounds ? { ...options, bounds: { ...options.bounds, backlogBytes: tightBacklogBytes } } : options;
}
