/** What deploy/ shows and watches over, without a Prometheus: that it is whole, and speaks of metrics that are there. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readAlerts } from "./alert-rules.ts";
import { filledIn, metricsIn, type Panel, readDashboard } from "./dashboard-panels.ts";
import { exposedNames } from "./exposed-names.ts";

const dashboard = readDashboard();
const panels = dashboard.panels.filter(({ type }) => type !== "row");
const exposed = exposedNames();

describe("the dashboard", () => {
  test("has a name of its own, and asks which data source, cluster, job and pod", () => {
    expect(dashboard).toMatchObject({ uid: "kubescribe", title: "kubescribe" });
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual([
      "datasource",
      "cluster",
      "namespace",
      "job",
      "pod",
    ]);
    // Labels that not everybody has: an absent one matches `.*`. Jobs are named, since other programs have a `queue_depth`, too.
    expect(dashboard.templating.list.map(({ allValue }) => allValue)).toEqual([undefined, ".*", ".*", undefined, ".*"]);
  });

  test("has panels with ids of their own, side by side on 24 columns", () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.get(`${x}/${y}`), `what ${title} lies upon`).toBeUndefined();
          taken.set(`${x}/${y}`, title);
        }
      }
    }
  });

  test("leaves no row empty, and no hole before the next one", () => {
    const bottoms = dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h);
    for (const { type, title, gridPos } of dashboard.panels) {
      if (type !== "row" || gridPos.y === 0) continue;
      expect(bottoms, title).toContain(gridPos.y);
    }
  });

  test.each(panels.map((panel): readonly [string, Panel] => [`${panel.title} (${panel.id})`, panel]))(
    "%s says what it shows, in which unit, from the data source that was chosen",
    (_, panel) => {
      expect(panel.description ?? "").toMatch(/^[A-Z].{20,}[.]$/s);
      expect(panel.fieldConfig?.defaults.unit ?? "").not.toBe("");
      expect(panel.datasource).toEqual({ type: "prometheus", uid: "${datasource}" });
      expect(panel.targets?.length).toBeGreaterThan(0);
      const refs = panel.targets?.map(({ refId }) => refId) ?? [];
      expect(new Set(refs).size).toBe(refs.length);
      for (const { expr, legendFormat } of panel.targets ?? []) {
        expect(filledIn(expr, "5m")).not.toContain("$");
        for (const name of metricsIn(expr)) expect(exposed, expr).toContain(name);
        for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(expr).toContain(`by (${label}`);
        // Every selector asks for the same processes.
        const selectors = [...expr.matchAll(/\{([^}]*)\}/g)].map(([, inner = ""]) => inner);
        for (const inner of selectors)
          expect(inner).toContain('cluster=~"$cluster", namespace=~"$namespace", job=~"$job", pod=~"$pod"');
      }
    },
  );

  test("names every metric of the contract", () => {
    const shown = new Set(panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => metricsIn(expr))));
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
    expect(contract.filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe("the alerts", () => {
  const alerts = readAlerts();
  const names = alerts.map(({ alert }) => alert);

  test("are these", () => {
    expect(names).toEqual([
      "KubescribeDown",
      "KubescribeNoWatchEvents",
      "KubescribeHeartbeatStopped",
      "KubescribeEnrichmentLow",
      "KubescribeBlind",
      "KubescribeLagHigh",
      "KubescribeUncommitted",
      "KubescribeTargetStopped",
      "KubescribePushFailing",
      "KubescribeCertificateExpiring",
    ]);
  });

  test.each(alerts.map((rule) => [rule.alert, rule] as const))(
    "%s says what it means and where to read on",
    (name, rule) => {
      const { summary = "", description = "", runbook_url: runbook } = rule.annotations;
      expect(summary).toMatch(/^[A-Z].{10,}[^.]$/);
      expect(description).toMatch(/[.]$/);
      expect(runbook).toBe(`docs/OPERATIONS.md#${name.toLowerCase()}`);
      expect(["critical", "warning"]).toContain(rule.labels["severity"]);
      for (const metric of metricsIn(rule.expr)) expect(exposed).toContain(metric);
      // Pods of one installation are seen together.
      if (name !== "KubescribeDown") expect(rule.expr).toContain("by (cluster, namespace, job");
    },
  );

  test("are spoken of in docs/METRICS.md", () => {
    expect(readFileSync(join(import.meta.dirname, "../../docs/METRICS.md"), "utf8")).toContain("deploy/alerts.yaml");
  });
});
