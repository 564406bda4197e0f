/**
 * `kubescribe demo`: a simulated cluster in the process, a handful of users, the engine as `run` would start it, and a history
 * to look at. Owns all that it starts, and takes it down in the reverse order, on Ctrl-C too.
 */

import type { Clock, FileSystem, Random } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { demoOptionTable } from "../config/option-table.ts";
import { parseOptions } from "../config/parse-options.ts";
import { makeCertificate } from "../simulator/certificate.ts";
import type { Policy } from "../simulator/cluster.ts";
import { SimulatedCluster } from "../simulator/cluster.ts";
import { Front } from "../simulator/front.ts";
import type { StoredEvent } from "../simulator/store.ts";
import { Webhook } from "../simulator/webhook.ts";
import { DemoClient } from "./demo-client.ts";
import type { HistoryCommit } from "./demo-history.ts";
import { readHistory } from "./demo-history.ts";
import { judge } from "./demo-judge.ts";
import { ADMIN, EVERYBODY, tokenOf } from "./demo-people.ts";
import type { DemoPlace } from "./demo-place.ts";
import { placeAt, writePlace } from "./demo-place.ts";
import { isGood, reportOf } from "./demo-report.ts";
import type { Output } from "./demo-terminal.ts";
import { pad, painterOf, ProgressLine } from "./demo-terminal.ts";
import { expectedChanges } from "./demo-truth.ts";
import type { Outcome, Stage } from "./demo-workload.ts";
import { ACTS, setTheStage } from "./demo-workload.ts";

/** What `run` would be told on its command line. */
export interface DemoEngineOptions {
  readonly kubeconfig: string;
  readonly config: string;
  /** Port 0: any free one. */
  readonly admissionAddress: string;
  readonly admissionPath: string;
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
  readonly metricsAddress: string;
  readonly dataDir: string;
}

export interface DemoEngine extends AsyncDisposable {
  /** Every watch is synced, the repository writable, the admission server listening. */
  readonly ready: Promise<void>;
  /** Rejects with the fault that ends it; otherwise pending. */
  readonly failed?: Promise<never>;
  /** HOST:PORT that reviews are taken at; known when `ready` is. */
  admissionAddress(): string;
  /** Resolves when what was observed so far is committed. */
  drain(): Promise<void>;
}

export type StartEngine = (options: DemoEngineOptions) => Promise<DemoEngine>;

export interface DemoPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly fileSystem: FileSystem;
  readonly output: Output;
  /** Absolute path of a new, empty directory. */
  readonly makeTemporaryDirectory: () => Promise<string>;
  /** What relative paths are relative to. */
  readonly cwd: string;
  readonly startEngine: StartEngine;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

const DEMO_HELP = `Usage: kubescribe demo [--directory DIR]

Starts a simulated Kubernetes API server in this process, lets a handful of users change it, and
shows the Git history that kubescribe makes of it. Needs no cluster; ends by itself.

  --directory DIR   where the history and all files go: empty, or not there yet
                    (default: a new temporary directory, which stays)
  --help            show this
`;

const BRANCH = "main";
const ADMISSION_PATH = "/correlate";
const REVIEW_TIMEOUT_MS = 3000;
const BOOKMARK_MS = 5000;
/** Between acts, so that a person can follow. */
const PAUSE_MS = 250;
/** How long the last commits may take. */
const SETTLE_MS = 10_000;
const SETTLE_STEP_MS = 100;

/** Resolves to the exit code. */
export async function demo(argv: readonly string[], ports: DemoPorts): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    ports.output.write(DEMO_HELP);
    return 0;
  }
  const named = parseOptions(argv, { table: demoOptionTable, cwd: ports.cwd }).textOrNull("directory");
  const directory = named ?? (await ports.makeTemporaryDirectory());
  try {
    return await play(placeAt(directory), ports);
  } catch (error) {
    if (!ports.signal.aborted) throw error;
    ports.output.write(`\n  Stopped before the end. What there is, is in ${directory}\n`);
    return 1;
  }
}

async function play(place: DemoPlace, ports: DemoPorts): Promise<number> {
  const { clock, random, output, signal } = ports;
  const startedMs = clock.monotonicMs();
  const paint = painterOf(output);
  const cluster = new SimulatedCluster({ clock, random, firstRevision: 1000 });
  const serverCertificate = await makeCertificate("kubescribe demo API server", clock);
  const webhookCertificate = await makeCertificate("kubescribe demo webhook", clock);
  await using stack = new AsyncDisposableStack();
  // The webhook comes later than the server: what is written before has no review, as in a cluster.
  let webhook: Webhook | null = null;
  const front = stack.use(
    await Front.listen({
      cluster,
      clock,
      certificate: serverCertificate,
      users: new Map(EVERYBODY.map((user) => [tokenOf(user), user])),
      ask: (attempt) => webhook?.ask(attempt) ?? Promise.resolve({ answered: false, allowed: true, message: "" }),
      bookmarkMs: BOOKMARK_MS,
    }),
  );
  await writePlace(ports.fileSystem, place, { serverUrl: front.url, serverCertificate, webhookCertificate });
  const client = stack.use(new DemoClient({ serverUrl: front.url, caBundlePem: serverCertificate.certificatePem }));
  await setTheStage((call) => client.call(call), ADMIN);
  output.write(`\n  ${paint("bold", "kubescribe demo")}  ${paint("dim", `a simulated cluster at ${front.url}`)}\n\n`);
  const engine = stack.use(await ports.startEngine(engineOptionsOf(place)));
  const progress = new ProgressLine(output);
  progress.update("  starting the engine …");
  await orAborted(orFailed(engine.ready, engine), signal);
  progress.clear();
  webhook = stack.use(
    new Webhook({
      url: `https://${engine.admissionAddress()}${ADMISSION_PATH}`,
      caBundlePem: webhookCertificate.certificatePem,
      timeoutMs: REVIEW_TIMEOUT_MS,
      clock,
      matches: ({ type }) => type.kind !== "Namespace",
    }),
  );
  const before = cluster.store.revision;
  const outcomes = await playActs({ client, cluster, webhook, ports });
  const expected = expectedChanges(changesSince(cluster, before));
  progress.update("  waiting for the last commits …");
  await orAborted(orFailed(engine.drain(), engine), signal);
  const commits = await settledHistory(place, expected.length, ports);
  progress.clear();
  const judgement = judge(expected, commits);
  const seconds = (clock.monotonicMs() - startedMs) / 1000;
  output.write(reportOf({ ...place, judgement, commits, outcomes, seconds, columns: output.columns, paint }));
  return isGood({ judgement, outcomes }) ? 0 : 1;
}

function engineOptionsOf(place: DemoPlace): DemoEngineOptions {
  return {
    kubeconfig: place.kubeconfigFile,
    config: place.rulesFile,
    admissionAddress: "127.0.0.1:0",
    admissionPath: ADMISSION_PATH,
    tlsCertFile: place.tlsCertFile,
    tlsKeyFile: place.tlsKeyFile,
    metricsAddress: "127.0.0.1:0",
    dataDir: place.dataDirectory,
  };
}

interface Play {
  readonly client: DemoClient;
  readonly cluster: SimulatedCluster;
  readonly webhook: Webhook;
  readonly ports: DemoPorts;
}

async function playActs({ client, cluster, webhook, ports }: Play): Promise<readonly Outcome[]> {
  const { clock, output, signal } = ports;
  const paint = painterOf(output);
  const progress = new ProgressLine(output);
  const stage: Stage = {
    call: (call) => orAborted(client.call(call), signal),
    setWebhookReachable: (reachable) => webhook.setReachable(reachable),
    setDenial: (deny) => cluster.setPolicy(policyOf(deny)),
  };
  const before = cluster.store.revision;
  const outcomes: Outcome[] = [];
  const titleWidth = Math.max(...ACTS.map(({ title }) => title.length)) + 2;
  for (const [index, act] of ACTS.entries()) {
    const bar = "━".repeat(index * 2) + "╌".repeat((ACTS.length - index) * 2);
    const writes = cluster.store.revision - before;
    progress.update(`  ${bar}  ${writes} writes  ${act.title} …`);
    outcomes.push(...(await act.run(stage)));
    await pause(clock, PAUSE_MS, signal);
    progress.finish(`  ${paint("green", "•")} ${pad(act.title, titleWidth)}${paint("dim", act.expectation)}`);
  }
  return outcomes;
}

function policyOf(deny: ((user: string, operation: string, name: string) => string | null) | null): Policy {
  return deny === null ? () => null : ({ user, operation, name }) => deny(user.name, operation, name);
}

function changesSince(cluster: SimulatedCluster, revision: number): readonly StoredEvent[] {
  return cluster.store.allEvents().filter((event) => event.revision > revision);
}

/** Reads until there are as many commits as there must be, or time is up: then the report says what is missing. */
async function settledHistory(
  place: DemoPlace,
  changes: number,
  { clock, signal }: DemoPorts,
): Promise<readonly HistoryCommit[]> {
  const deadlineMs = clock.monotonicMs() + SETTLE_MS;
  for (;;) {
    const commits = await readHistory(place.gitDirectory, BRANCH);
    const enough = commits.filter(({ uid }) => uid !== "").length >= changes;
    if (enough || clock.monotonicMs() > deadlineMs) return commits;
    await pause(clock, SETTLE_STEP_MS, signal);
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = clock.after(ms, () => resolve(undefined));
  return orAborted(promise, signal).finally(() => timer[Symbol.dispose]());
}

function orFailed<T>(promise: Promise<T>, { failed }: DemoEngine): Promise<T> {
  return failed === undefined ? promise : Promise.race([promise, failed]);
}

/** Rejects as soon as the signal says so. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(new KubescribeError("interrupted", "interrupted", { retry: "never" }));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
