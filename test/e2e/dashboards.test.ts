/**
 * A real Prometheus beside a real process: every panel of the dashboard shows something, and every alert fires under its own fault and
 * ends after it. A minute of the rules has three seconds here, and nothing else of them is changed (`hastenedAlerts`).
 */

import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { HttpBackend } from "../remote/http-backend.ts";
import { makeRepository } from "../remote/repositories.ts";
import { hastenedAlerts, readAlerts } from "../telemetry/alert-rules.ts";
import { filledIn, readDashboard } from "../telemetry/dashboard-panels.ts";
import { RecordedProcess } from "../telemetry/recorded-process.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";
import { Load } from "./load.ts";
import { type Alert, Prometheus } from "./prometheus.ts";
import { Proxy } from "./proxy.ts";

const minuteSeconds = 3;
/** The longest way of an alert, and of a watch or a push that backs off. */
const timeoutMs = 150_000;
const remoteName = "history.git";

interface Fault {
  readonly alerts: readonly string[];
  readonly name: string;
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
}

describe("what Prometheus sees", () => {
  let plane: ControlPlane;
  let backend: HttpBackend;
  let proxy: Proxy;
  let kubescribe: Kubescribe;
  /** This process has no installation, and so no configuration and certificate of its own. */
  let recorded: RecordedProcess;
  let prometheus: Prometheus;
  let load: Load;
  let isRemoteDown = false;
  let lagging: Promise<void> | null = null;
  const holding = new AbortController();

  beforeAll(async () => {
    plane = await startControlPlane({ numberedUsers: 0 });
    const root = join(plane.directory, "remotes");
    makeRepository(join(root, remoteName));
    backend = await HttpBackend.start({
      root,
      intercept: (_, response) => {
        if (isRemoteDown) response.writeHead(503).end();
        return isRemoteDown;
      },
    });
    proxy = await Proxy.start(plane);
    kubescribe = await startKubescribe(plane, {
      types: [{ apiGroups: [""], resources: ["configmaps"] }],
      kubeconfig: proxy.kubeconfig,
      remote: { url: backend.url(remoteName), path: join(root, remoteName) },
    });
    await kubescribe.installWebhook();
    load = await Load.start(plane, ["load-a", "load-b", "load-c"], ["alice", "bob", "carol"]);
    recorded = await RecordedProcess.start();
    const labels = { cluster: "test", namespace: "kubescribe-system" };
    prometheus = await Prometheus.start({
      directory: join(plane.directory, "prometheus"),
      processes: [
        { metricsUrl: kubescribe.metricsUrl, labels: { ...labels, pod: "kubescribe-0" } },
        { metricsUrl: recorded.metricsUrl, labels: { ...labels, pod: "recorded" } },
      ],
      dropped: "kubescribe-0;webhook_(covered|certificate_expiry_timestamp_seconds)",
      rules: hastenedAlerts(minuteSeconds),
    });
  });

  afterAll(async () => {
    await load.stop();
    await prometheus[Symbol.asyncDispose]();
    await recorded[Symbol.asyncDispose]();
    await kubescribe[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  const firing = async (): Promise<readonly Alert[]> =>
    (await prometheus.alerts()).filter(({ state }) => state === "firing");
  /** The local repository of the remote: what is pushed stands in it first. */
  const mirror = (): string => {
    const place = join(kubescribe.dataDir, "mirrors");
    return join(place, readdirSync(place)[0] ?? "");
  };

  test("every panel shows something, and nothing is alarmed, while all is well", async () => {
    await load.acknowledged(300);
    const asked = readDashboard().panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ title, expr })),
    );
    expect(asked.length).toBeGreaterThan(60);
    const empty = async (): Promise<readonly string[]> => {
      const answers = await Promise.all(
        asked.map(async ({ title, expr }) => ({ title, expr, samples: await prometheus.query(filledIn(expr, "30s")) })),
      );
      const without = answers.filter(({ samples }) => !samples.some(({ value }) => Number.isFinite(value)));
      return without.map(({ title, expr }) => `${title}: ${expr}`);
    };
    let left: readonly string[] = [];
    const none = async (): Promise<true | undefined> => ((left = await empty()).length === 0 ? true : undefined);
    await eventually(none, { timeoutMs: 30_000, everyMs: 1000 }).catch(() => undefined);
    expect(left).toEqual([]);
    const accounts = await prometheus.query("changes_by_account_total");
    expect(accounts.map(({ labels }) => labels["account"])).toEqual(expect.arrayContaining(["alice", "bob", "carol"]));
    expect(await firing()).toEqual([]);
  });

  const faults: readonly Fault[] = [
    {
      name: "the webhook and the remote are away, and the certificate was not renewed",
      alerts: ["KubescribeBlind", "KubescribeCertificateExpiring", "KubescribeEnrichmentLow", "KubescribePushFailing"],
      begin: async () => {
        isRemoteDown = true;
        await kubescribe.removeWebhook();
        recorded.isCovered = false;
        recorded.daysLeft = 13;
      },
      end: async () => {
        isRemoteDown = false;
        await kubescribe.installWebhook();
        recorded.isCovered = true;
        recorded.daysLeft = 60;
      },
    },
    {
      name: "the API server is away",
      alerts: ["KubescribeNoWatchEvents", "KubescribeHeartbeatStopped"],
      begin: () => plane.stopApiServer(),
      end: async () => {
        await plane.startApiServer();
        await kubescribe.reviewed();
      },
    },
    {
      name: "what the API server says is held back",
      alerts: ["KubescribeLagHigh"],
      begin: async () => {
        lagging = (async () => {
          while (!holding.signal.aborted) {
            proxy.hold();
            await delay(1500);
            proxy.release();
            await delay(100);
          }
        })();
      },
      end: async () => {
        holding.abort();
        await lagging;
      },
    },
    {
      name: "the disk takes no packs",
      alerts: ["KubescribeUncommitted"],
      begin: async () => {
        const packs = join(mirror(), "objects/pack");
        renameSync(packs, `${packs}-away`);
        writeFileSync(packs, "");
      },
      end: async () => {
        const packs = join(mirror(), "objects/pack");
        rmSync(packs);
        renameSync(`${packs}-away`, packs);
      },
    },
    {
      name: "the branch cannot be read, whatever is tried",
      alerts: ["KubescribeTargetStopped"],
      begin: async () => {
        const branch = join(mirror(), "refs/heads/main");
        const circle = "ref: refs/heads/main\n";
        await eventually(async () => {
          // A flush that was under way may have put its own there.
          if (readFileSync(branch, "utf8") !== circle) {
            renameSync(branch, join(plane.directory, "branch-away"));
            writeFileSync(branch, circle);
          }
          return (await kubescribe.metric("target_stopped")) > 0 ? true : undefined;
        });
      },
      end: async () => {
        const kept = readFileSync(join(plane.directory, "branch-away"), "utf8");
        await kubescribe.kill9();
        writeFileSync(join(mirror(), "refs/heads/main"), kept);
        await kubescribe.start();
      },
    },
    {
      name: "the process is away",
      alerts: ["KubescribeDown"],
      begin: () => kubescribe.kill9(),
      end: () => kubescribe.start(),
    },
  ];

  test.each(faults)("$name: $alerts, until that is over", { timeout: 2 * timeoutMs + 60_000 }, async (fault) => {
    const { alerts, begin, end } = fault;
    await begin();
    let fired: readonly Alert[] = [];
    const all = async (): Promise<true | undefined> => {
      fired = await firing();
      return alerts.every((alert) => fired.some(({ name }) => name === alert)) ? true : undefined;
    };
    const none = async (): Promise<true | undefined> => {
      fired = await firing();
      return alerts.some((alert) => fired.some(({ name }) => name === alert)) ? undefined : true;
    };
    try {
      await eventually(all, { timeoutMs, everyMs: 500, what: alerts.join(" and ") });
      for (const { name, annotations } of fired.filter((alert) => alerts.includes(alert.name))) {
        const said = Object.values(annotations).join("\n");
        expect(said, name).not.toMatch(/\{\{|<error|NaN/);
      }
    } finally {
      await end();
    }
    await eventually(none, { timeoutMs, everyMs: 500, what: `the end of ${alerts.join(" and ")}` });
  });

  test("every alert has had its fault", () => {
    const had = new Set(faults.flatMap(({ alerts }) => alerts));
    expect(
      readAlerts()
        .map(({ alert }) => alert)
        .filter((name) => !had.has(name)),
    ).toEqual([]);
  });

  test("and nothing was lost on the way", async () => {
    await load.stop();
    const level = async (): Promise<true | undefined> =>
      (await kubescribe.metric("unpushed_commits", 'target="default/history"')) === 0 ? true : undefined;
    await eventually(level, { timeoutMs: 60_000, what: "everything pushed" });
    const verified = async (): Promise<true | undefined> => ((await kubescribe.verify()).code === 0 ? true : undefined);
    await eventually(verified, { timeoutMs: 60_000, everyMs: 1000, what: "the history equals the cluster" });
    expect(await firing()).toEqual([]);
    await kubescribe.assertSound();
  });
});
