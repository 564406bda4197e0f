/** deploy/alerts.yaml as tests read it, as it stands or with shorter minutes. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const alertsFile = join(import.meta.dirname, "../../deploy/alerts.yaml");

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export function readAlerts(text = readFileSync(alertsFile, "utf8")): readonly AlertRule[] {
  const { groups } = parse(text) as { readonly groups: readonly { readonly rules: readonly AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/**
 * The same rules where a minute has `seconds`: in durations (`5m` becomes `15s`) and where a number is compared with seconds
 * (`5 * 60` becomes `5 * 3`). Nothing else is changed.
 */
export function hastenedAlerts(seconds: number): string {
  return readFileSync(alertsFile, "utf8")
    .split("\n")
    .map((line) => (line.trimStart().startsWith("#") ? line : hastened(line, seconds)))
    .join("\n");
}

function hastened(line: string, seconds: number): string {
  return line
    .replaceAll(/\b([0-9]+)m\b/g, (_, minutes: string) => `${Number(minutes) * seconds}s`)
    .replaceAll(/\* 60\b/g, `* ${seconds}`);
}
