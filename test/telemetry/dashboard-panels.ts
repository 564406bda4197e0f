/** deploy/dashboard.json as tests read it, and its queries as Prometheus is asked them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
  readonly allValue?: string;
}

export function readDashboard(): Dashboard {
  const path = join(import.meta.dirname, "../../deploy/dashboard.json");
  return JSON.parse(readFileSync(path, "utf8")) as Dashboard;
}

/** As Grafana would fill it in with all of everything; `window` is a duration of Prometheus. */
export function filledIn(expr: string, window: string): string {
  return expr
    .replaceAll(/\$__(?:rate_interval|range)\b/g, window)
    .replaceAll(/"\$(?:cluster|namespace|job|pod)"/g, '".*"');
}

const operators = new Set(["and", "or", "unless"]);

/** Names of metrics in a query: the words that are no function, operator, label or duration. */
export function metricsIn(expr: string): readonly string[] {
  const bare = expr
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, "")
    .replaceAll(/\bby\s*\([^)]*\)/g, "")
    .matchAll(/\b[a-z_][a-z0-9_]*\b(?!\s*\()/g);
  return [...new Set(Array.from(bare, ([word]) => word))].filter((word) => !operators.has(word));
}
