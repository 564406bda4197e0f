/** One storm, from an empty control plane to its findings. */

import { spawn } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";

import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { LookedAtKeys } from "../../src/composition/looked-at-keys.ts";
import { lookedAtSecrets } from "../../src/composition/secret-options.ts";
import type { SecretOptions } from "../../src/sanitize/secrets.ts";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { fsck, git, readCommits } from "../e2e/history.ts";
import { type Kubescribe, startKubescribe } from "../e2e/kubescribe.ts";
import { AuditTruth } from "./audit-truth.ts";
import { check, type Doubt, type Findings } from "./checker.ts";
import { deniedUsers, startDenier } from "./denier.ts";
import { evidenceOf } from "./evidence.ts";
import type { Figures } from "./figures.ts";
import { collectionPath, kinds, namespace, typeKeyOf, widgetDefinition } from "./kinds.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { persistedOf } from "./persisted.ts";
import { Recorder } from "./recorder.ts";
import { reviewQuantileMs } from "./review-time.ts";
import { readWrittenFiles } from "./written-files.ts";

export interface StormOptions {
  readonly name: string;
  readonly seed: number;
  readonly requests: number;
  readonly apiServers?: 1 | 2;
  readonly controllers?: boolean;
  /** Seconds from one kill -9 to the next; absent: none. */
  readonly killEverySeconds?: number;
}

export interface StormResult {
  readonly figures: Figures;
  readonly findings: Findings;
  readonly load: LoadReport;
  /** What `verify`, `git fsck` and the recorder have to complain of; empty is good. */
  readonly faults: readonly string[];
  /** What happened around it; the control plane is gone by now. */
  readonly evidence: ReadonlyMap<Doubt, string>;
}

const users = 20;
const requestsPerSecond = 400;
const deniedShare = 0.04;
/** A request that was not reviewed, since nobody listened, is written at the latest so long after. */
const inFlightMs = 500;
/** Of each list, with their evidence. */
const shownDoubts = 10;
const quietTimeoutMs = 120_000;

export async function runStorm(options: StormOptions): Promise<StormResult> {
  const { apiServers = 1, controllers = false } = options;
  await using plane = await startControlPlane({ apiServers, controllers, users: deniedUsers, numberedUsers: users });
  await prepare(plane);
  using recorder = new Recorder(plane);
  await recorder.start(kinds);
  await using _denier = await startDenier(plane);
  await using kubescribe = await startKubescribe(plane, {
    types: kinds.map(({ group, version, resource }) => ({
      apiGroups: [group],
      apiVersions: [version],
      resources: [resource],
    })),
  });
  await kubescribe.installWebhook({ timeoutSeconds: 10 });
  for (let server = 1; server < apiServers; server += 1) await kubescribe.reviewed(server);

  const kills = new Kills(kubescribe);
  const stopKilling = new AbortController();
  const killing =
    options.killEverySeconds === undefined
      ? Promise.resolve()
      : kills.every(options.killEverySeconds, stopKilling.signal);
  const load = await generate(plane, options);
  stopKilling.abort();
  await killing;
  const endedMs = performance.now();
  const persisted = await quiet(recorder, kubescribe, await secretsOf(plane, kubescribe));
  const quietSeconds = (performance.now() - endedMs) / 1000;

  const metrics = [...kills.metrics, await kubescribe.metrics()];
  const faults = await faultsOf(kubescribe, recorder);
  const answers = await Array.fromAsync(plane.auditEvents());
  const audit = new AuditTruth();
  for (const event of answers) audit.add(event);
  const findings = check({
    persisted,
    audit,
    commits: await readCommits(kubescribe.repository),
    written: await readWrittenFiles(kubescribe.repository),
    blind: (change, index) => kills.blindTo(change.seenAtMs, index),
  });
  const { wrong, wrongTies, unexplained, explained } = findings;
  const sources = { persisted, audit: answers, dataDir: kubescribe.dataDir };
  const doubts = [wrong, wrongTies, unexplained, explained].flatMap((list) => list.slice(0, shownDoubts));
  const evidence = new Map(doubts.map((doubt) => [doubt, evidenceOf(doubt.change, sources)]));
  const figures: Figures = {
    name: options.name,
    requests: load.requests,
    perSecond: load.requests / load.seconds,
    findings,
    reviewP50Ms: reviewQuantileMs(metrics, 0.5),
    reviewP99Ms: reviewQuantileMs(metrics, 0.99),
    quietSeconds,
    kills: kills.count,
  };
  return { figures, findings, load, faults, evidence };
}

async function prepare(plane: ControlPlane): Promise<void> {
  const made = [
    await plane.request("admin", "POST", "/api/v1/namespaces", { metadata: { name: namespace } }),
    await plane.request("admin", "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", widgetDefinition),
  ];
  for (const { status, text } of made) if (status !== 201) throw new Error(`The storm's stage was refused: ${text}`);
  // Each API server learns of the type in its own time (K43).
  for (const server of plane.urls.keys()) {
    for (const kind of kinds) {
      await eventually(async () => {
        const { status } = await plane.request("admin", "GET", collectionPath(kind), undefined, { server });
        return status === 200 ? true : undefined;
      });
    }
  }
}

async function generate(plane: ControlPlane, options: StormOptions): Promise<LoadReport> {
  const denied = Math.ceil((options.requests * deniedShare) / deniedUsers.length);
  const order: LoadOrder = {
    seed: options.seed,
    urls: plane.urls,
    caPem: plane.caPem,
    requestsPerSecond,
    maxSeconds: 60 + (4 * options.requests) / requestsPerSecond,
    users: [
      ...deniedUsers.map((name) => ({ name, token: plane.token(name), requests: denied })),
      ...Array.from({ length: users }, (_, index) => ({
        name: `user-${index}`,
        token: plane.token(`user-${index}`),
        requests: Math.ceil((options.requests - denied * deniedUsers.length) / users),
      })),
    ],
  };
  const child = spawn(process.execPath, [join(import.meta.dirname, "load.ts")], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(order));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`The load generator ended with ${code}`);
  return JSON.parse(output) as LoadReport;
}

/** With the key that kubescribe has made. */
async function secretsOf(plane: ControlPlane, { dataDir }: Kubescribe): Promise<SecretOptions> {
  const { metadata } = (await plane.request("admin", "GET", "/api/v1/namespaces/kube-system")).json();
  const { uid } = metadata as { readonly uid: string };
  const place = { dataDir, installationKeyFile: null };
  const keys = new LookedAtKeys({ files: createNodeFileSystem(), place, installation: null });
  const secretsOf = lookedAtSecrets({ keys, readClusterUid: () => Promise.resolve(uid) });
  return await secretsOf({ config: { secrets: { policy: "omit" } } }, { group: "", kind: "Secret" });
}

/** Waits until the cluster is at rest and the last change of each type is committed; answers with all that was persisted. */
async function quiet(
  recorder: Recorder,
  kubescribe: Kubescribe,
  secrets: SecretOptions,
): Promise<ReadonlyMap<string, ReturnType<typeof persistedOf>>> {
  const deadline = performance.now() + quietTimeoutMs;
  let events = -1;
  for (;;) {
    const count = [...recorder.events.values()].reduce((sum, list) => sum + list.length, 0);
    if (count === events || performance.now() > deadline) break;
    events = count;
    await delay(1_000);
  }
  const persisted = new Map(
    [...recorder.events].map(([kind, list]) => [typeKeyOf(kind), persistedOf(list, secrets)] as const),
  );
  const last = [...persisted.values()].flatMap(
    (list) => list.findLast(({ operation, seenAtMs }) => operation !== null && seenAtMs > 0) ?? [],
  );
  while (performance.now() < deadline) {
    const log = await git(kubescribe.repository, [
      "log",
      "--format=%(trailers:key=Kubescribe-Uid,key=Kubescribe-Resource-Version,valueonly,separator=%x20)",
      "main",
    ]);
    const lines = new Set(log.split("\n"));
    if (last.every(({ uid, resourceVersion }) => lines.has(`${uid} ${resourceVersion}`))) break;
    await delay(250);
  }
  return persisted;
}

async function faultsOf(kubescribe: Kubescribe, recorder: Recorder): Promise<readonly string[]> {
  const verified = await kubescribe.verify();
  const checked = await fsck(kubescribe.repository);
  return [
    ...recorder.failures,
    ...(verified.code === 0 ? [] : [`verify ended with ${verified.code}:\n${verified.output}`]),
    ...(checked === "" ? [] : [`git fsck --strict: ${checked}`]),
  ];
}

/** The kills of a run, and what was made in their shadow. */
class Kills {
  count = 0;
  /** What each of the killed had counted. */
  readonly metrics: ReadonlyMap<string, number>[] = [];
  readonly #kubescribe: Kubescribe;
  readonly #spans: { readonly fromMs: number; readonly toMs: number; readonly commits: number }[] = [];

  constructor(kubescribe: Kubescribe) {
    this.#kubescribe = kubescribe;
  }

  async every(seconds: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      await delay(seconds * 1000, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      this.metrics.push(await this.#kubescribe.metrics());
      const fromMs = Date.now();
      await this.#kubescribe.kill9();
      const { repository } = this.#kubescribe;
      const commits = Number(await git(repository, ["rev-list", "--count", "main"]).catch(() => "0"));
      const [listeningMs] = await Promise.all([this.#listening(), this.#kubescribe.start()]);
      this.#spans.push({ fromMs, toMs: listeningMs + inFlightMs, commits });
      this.count += 1;
    }
  }

  /** When reviews are taken again. */
  async #listening(): Promise<number> {
    const { port } = new URL(this.#kubescribe.admissionUrl);
    await eventually(
      () =>
        new Promise<true>((resolve, reject) => {
          const socket = connect(Number(port), "127.0.0.1", () => {
            socket.destroy();
            resolve(true);
          });
          socket.once("error", reject);
        }),
      { timeoutMs: 60_000, everyMs: 10, what: "a restarted kubescribe" },
    );
    return Date.now();
  }

  /** Made while it was down, or made before and not committed yet when it died. */
  blindTo(seenAtMs: number, commitIndex: number): boolean {
    return this.#spans.some(
      ({ fromMs, toMs, commits }) => seenAtMs <= toMs && (seenAtMs >= fromMs || commitIndex >= commits),
    );
  }
}
