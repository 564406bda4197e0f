/** The alerts in promtool: when each of them begins to fire, and when it ends. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findPrometheus, required } from "../remote/servers.ts";
import { alertsFile, hastenedAlerts, readAlerts } from "./alert-rules.ts";
import { type AlertCase, alertCases, healthy } from "./alert-cases.ts";
import { filledIn, readDashboard } from "./dashboard-panels.ts";

const promtool = required(findPrometheus("promtool"), "promtool");
const installation = { cluster: "prod", namespace: "kubescribe-system", job: "kubescribe" };
const alerts = readAlerts();
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "kubescribe-alerts-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function written(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** `queue_depth{target="a/b"}` with the labels of a process; its own ones win. */
function seriesOf(text: string): string {
  const [, name = "", inner = ""] = /^([a-z_]+)(?:\{(.*)\})?$/.exec(text) ?? [];
  const labels = { ...installation, pod: "a" };
  const given = inner === "" ? [] : inner.split(",");
  const missing = Object.entries(labels).filter(([label]) => !given.some((pair) => pair.startsWith(`${label}=`)));
  return `${name}{${[...missing.map(([label, value]) => `${label}="${value}"`), ...given].join(",")}}`;
}

function labelsOf(alert: string): string {
  const rule = alerts.find((each) => each.alert === alert);
  const target = rule?.expr.includes("target") === true ? { target: "a/b" } : {};
  const seen = alert === "KubescribeDown" ? {} : { ...installation, ...target };
  const labels = { alertname: alert, alertstate: "firing", ...seen, ...rule?.labels };
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `ALERTS{${pairs.join(", ")}}`;
}

function testFileOf({ series, firing }: AlertCase): unknown {
  const samples = { ...healthy, ...series };
  return {
    rule_files: [alertsFile],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: Object.entries(samples).map(([name, values]) => ({ series: seriesOf(name), values })),
        promql_expr_test: Object.entries(firing).map(([minute, names]) => ({
          expr: 'ALERTS{alertstate="firing"}',
          eval_time: `${minute}m`,
          exp_samples: names.map((name) => ({ labels: labelsOf(name), value: 1 })),
        })),
      },
    ],
  };
}

describe("the alerts", () => {
  test("are rules that Prometheus takes, as they are and with shorter minutes", () => {
    for (const file of [alertsFile, written("hastened.yaml", hastenedAlerts(3))]) {
      const said = execFileSync(promtool, ["check", "rules", file], { encoding: "utf8" });
      expect(said).toContain(`SUCCESS: ${alerts.length} rules found`);
    }
  });

  test("are all in some case", () => {
    const fired = new Set(alertCases.flatMap(({ firing }) => Object.values(firing).flat()));
    expect(alerts.map(({ alert }) => alert).filter((name) => !fired.has(name))).toEqual([]);
  });

  test.each(alertCases.map((each) => [each.name, each] as const))("%s", (_, each) => {
    const { status, stdout, stderr } = spawnSync(promtool, ["test", "rules", written("case.yaml", testFileOf(each))], {
      encoding: "utf8",
    });
    expect(status, `${stdout}${stderr}`).toBe(0);
  });
});

test("every query of the dashboard is one that Prometheus takes", () => {
  const queries = readDashboard().panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => filledIn(expr, "5m")));
  const rules = queries.map((expr, at) => ({ record: `kubescribe:query_${at}`, expr }));
  const file = written("queries.yaml", { groups: [{ name: "queries", rules }] });
  const { status, stdout, stderr } = spawnSync(promtool, ["check", "rules", file], { encoding: "utf8" });
  expect(status, `${stdout}${stderr}`).toBe(0);
});
