/**
 * A real Prometheus beside real processes: every panel of the dashboard shows something, and every alert fires under its own fault and
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
import { GivenCertificate } from "./given-certificate.ts";
import { install } from "./installation.ts";
import { namespace } from "./installed.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";
import { Load } from "./load.ts";
import { type Pod, Pods } from "./pods.ts";
import { type Alert, Prometheus } from "./prometheus.ts";
import { Proxy } from "./proxy.ts";

const minuteSeconds = 3;
/** The longest way of an alert, and of a watch or a push that backs off. */
const timeoutMs = 150_000;
const remoteName = "history.git";

/** What only an installation tells. */
const ofInstallations = [
  "webhook_covered",
  "webhook_certificate_expiry_timestamp_seconds",
  "webhook_certificate_renewals_total",
  "webhook_configuration_repairs_total",
];

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
  /** An installation, which `kubescribe` is not: it has a webhook configuration and a certificate to look after. */
  let installed: Installation;
  let prometheus: Prometheus;
  let load: Load;
  let isRemoteDown = false;
  let lagging: Promise<void> | null = null;
  const holding = new AbortController();

  beforeAll(async () => {
    // An installation's rights are aggregated by a controller.
    plane = await startControlPlane({ controllers: true, numberedUsers: 0 });
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
      name: "recorder",
      types: [{ apiGroups: [""], resources: ["configmaps"] }],
      kubeconfig: proxy.kubeconfig,
      remote: { url: backend.url(remoteName), path: join(root, remoteName) },
    });
    await kubescribe.installWebhook();
    load = await Load.start(plane, ["load-a", "load-b", "load-c"], ["alice", "bob", "carol"]);
    installed = await Installation.start(plane);
    const labels = { cluster: "test", namespace };
    prometheus = await Prometheus.start({
      directory: join(plane.directory, "prometheus"),
      processes: [
        { metricsUrl: kubescribe.metricsUrl, labels: { ...labels, pod: "kubescribe-0" } },
        { metricsUrl: installed.pod.metricsUrl, labels: { ...labels, pod: "installed" } },
      ],
      taken: `kubescribe-0;.*|installed;(${ofInstallations.join("|")})`,
      dropped: `kubescribe-0;(${ofInstallations.join("|")})`,
      rules: hastenedAlerts(minuteSeconds),
    });
  });

  afterAll(async () => {
    await load?.stop();
    await prometheus?.[Symbol.asyncDispose]();
    await installed?.[Symbol.asyncDispose]();
    await kubescribe?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
    await backend?.[Symbol.asyncDispose]();
    await plane?.[Symbol.asyncDispose]();
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
        await installed.certificate.make(13);
        await plane.removeWebhook("kubescribe");
      },
      end: async () => {
        isRemoteDown = false;
        await kubescribe.installWebhook();
        await installed.certificate.make(60);
        await installed.cover();
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
    const ours = (): readonly string[] => fired.map(({ name }) => name).filter((name) => alerts.includes(name));
    const all = async (): Promise<true | undefined> => {
      fired = await firing();
      return new Set(ours()).size === alerts.length ? true : undefined;
    };
    const none = async (): Promise<true | undefined> => {
      fired = await firing();
      return ours().length === 0 ? true : undefined;
    };
    try {
      await eventually(all, { timeoutMs, everyMs: 500 }).catch(() => undefined);
      expect(ours().toSorted()).toEqual(alerts.toSorted());
      for (const { name, annotations } of fired.filter((alert) => alerts.includes(alert.name))) {
        const said = Object.values(annotations).join("\n");
        expect(said, name).not.toMatch(/\{\{|<error|NaN/);
      }
    } finally {
      await end();
    }
    await eventually(none, { timeoutMs, everyMs: 500 }).catch(() => undefined);
    expect(ours()).toEqual([]);
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

/** A process of an installation that has nothing to record, with the certificate that it was given. Owns its pod. */
class Installation implements AsyncDisposable {
  readonly pod: Pod;
  readonly certificate: GivenCertificate;
  readonly #plane: ControlPlane;
  readonly #pods: Pods;

  static async start(plane: ControlPlane): Promise<Installation> {
    const certificate = new GivenCertificate(plane);
    await applyInstallation(plane);
    await certificate.make(60);
    const pods = await Pods.open(plane, { namespace, name: "kubescribe" });
    const pod = await pods.start();
    await pod.ready();
    const made = new Installation(plane, certificate, pods, pod);
    await made.cover();
    return made;
  }

  private constructor(plane: ControlPlane, certificate: GivenCertificate, pods: Pods, pod: Pod) {
    this.#plane = plane;
    this.certificate = certificate;
    this.#pods = pods;
    this.pod = pod;
  }

  /** Resolves when its webhook stands and is trusted. */
  async cover(): Promise<void> {
    await applyInstallation(this.#plane);
    await this.#pods.beFound();
    const covered = async (): Promise<true | undefined> => {
      await this.certificate.trust();
      return (await this.pod.metric("webhook_covered")) === 1 ? true : undefined;
    };
    await eventually(covered, { timeoutMs: 90_000, everyMs: 500, what: `a webhook:\n${this.pod.tail}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pods[Symbol.asyncDispose]();
  }
}

/** Again, too: what is missing of it is made. */
async function applyInstallation(plane: ControlPlane): Promise<void> {
  const { code, stderr } = await plane.kubectl(
    "admin",
    ["apply", "-f", "-"],
    install(["--certificates", "files"]).text,
  );
  if (code !== 0) throw new Error(stderr);
}
