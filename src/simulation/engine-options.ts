/** What the simulated kubescribe is told, as on the command line. */

import type { RunOptions } from "../config/options.ts";
import { parseRunOptions } from "../config/run-options.ts";
import type { Dice } from "./dice.ts";
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
  ["--pending-per-resource", "3"],
  ["--pending-total", "24"],
  ["--pending-content-bytes", "3000"],
  ["--verdict-log-entries", "10"],
  ["--flush-changes", "4"],
];

/** Less than the command line takes: few objects are enough to fall behind. */
const tightBacklogBytes = 12_000;
/** Longer than any request takes. */
const shortTtl = ["--pending-ttl-seconds", "7"];

/** Many changes in a flush, or few. */
const batchWindowsMs = [5, 20, 60, 150] as const;

/** What every simulated kubescribe is told, and these flags. */
export function engineOptions(flags: readonly (readonly string[])[]): RunOptions {
  return parseRunOptions([...always, ...flags].flat(), "/");
}

export function optionsOf({ attribution, ingestion, switches }: Plan, dice: Dice): RunOptions {
  const bounds = switches.has("tight-bounds");
  const flags = [
    ["--batch-window-ms", String(dice.pick(batchWindowsMs))],
    ["--attribution", attribution],
    ["--ingestion", ingestion],
    ...(bounds ? tight : []),
    ...(switches.has("short-ttl") ? [shortTtl] : []),
    ...(switches.has("power-losses") ? [["--journal-sync"]] : []),
  ];
  const options = engineOptions(flags);
  return bounds ? { ...options, bounds: { ...options.bounds, backlogBytes: tightBacklogBytes } } : options;
}
