/**
 * The composition root of `run` and of the demo: every room of the house, wired once. Owns all of it.
 *
 * 1. Reviews are taken as early as can be: before the cluster is asked anything, and before worker threads are started.
 * 2. They are taken until the end: a recording is taken down first, and reviews go into the journal meanwhile.
 */
import { join } from "node:path";

import type { EnginePlan, RunningEngine } from "../commands/run.ts";
import type { RuleDocument } from "../config/documents.ts";
import type { Address, RunOptions } from "../config/options.ts";
import { CoverageKeeper } from "./coverage-keeper.ts";
import type { ClusterApi, EnginePorts, ReviewListener } from "./engine-ports.ts";
import { FollowedRules } from "./followed-rules.ts";
import { Installation } from "./installation.ts";
import { InstallationKeys } from "./installation-keys.ts";
import { Intake } from "./intake.ts";
import type { KeysTrouble } from "./keys-trouble.ts";
import { listen } from "./listen.ts";
import { acquireProcessLock } from "./process-lock.ts";
import { Readiness } from "./readiness.ts";
import { Recorder } from "./recorder.ts";
import type { Recording } from "./recording.ts";
import type { OpenSecrets } from "./secret-options.ts";

const readyPollMs = 50;

export async function startEngine(plan: EnginePlan, ports: EnginePorts): Promise<RunningEngine> {
  await using stack = new AsyncDisposableStack();
  const { options } = plan;
  const { clock, files, log, processes } = ports;
  const what = `the data directory ${options.dataDir}`;
  stack.use(await acquireProcessLock({ fs: files, clock, processes, path: join(options.dataDir, "lock"), what }));
  const ownKeys = keepsKeysInSecret(options) ? null : await ports.openSecretKeys(options);
  const readiness = new Readiness({ installed: options.installation !== null });
  const probes = stack.use(
    await ports.serveProbes({ ...options.metrics, live: () => [], ready: () => readiness.conditions() }),
  );
  log.info("Metrics and probes are served.", { address: addressOf(probes.address) });

  const api = stack.use(ports.connect(options.kubeconfig));
  const { dataDir, installation: account } = options;
  const keys =
    account === null || ownKeys !== null ? null : stack.use(new InstallationKeys({ ...ports, api, dataDir, account }));
  const openSecrets: OpenSecrets = async (signal) =>
    ownKeys ?? (await ports.openSecretKeys(options, await keys?.begin(signal)));
  const intake = stack.use(await Intake.open({ options, claimKeys: () => recorder.claimKeys }, ports));
  const coverage = stack.use(await CoverageKeeper.open({ ...ports, dataDir: options.dataDir }));
  const recorder = new Recorder({ options, api, openSecrets, intake, coverage, readiness }, ports);
  const household = { plan, api, intake, coverage, readiness, recorder, keys };
  const begin = options.installation === null ? runAlone : runInstalled;
  const admission = await begin(household, ports, stack);
  readiness.listening();
  log.info("Reviews are taken.", { address: addressOf(admission.address) });
  const owned = stack.move();
  return {
    admissionAddress: () => addressOf(admission.address),
    ready: untilReady(readiness, ports),
    failed: new Promise<never>(() => undefined),
    follow: (rules) => recorder.record(rules),
    drain: () => recorder.drain(),
    [Symbol.asyncDispose]: () => {
      readiness.stopping();
      return owned.disposeAsync();
    },
  };
}

interface Household {
  readonly plan: EnginePlan;
  readonly api: ClusterApi;
  readonly intake: Intake;
  readonly coverage: CoverageKeeper;
  readonly readiness: Readiness;
  readonly recorder: Recorder;
  /** Null: keys are not kept in the cluster. */
  readonly keys: InstallationKeys | null;
}

/** One process, which nothing in the cluster belongs to. What has to be closed is left with `stack`. */
async function runAlone(
  { plan, api, intake, coverage, recorder }: Household,
  ports: EnginePorts,
  stack: AsyncDisposableStack,
): Promise<ReviewListener> {
  const { options, documents } = plan;
  const listening = stack.use(new AsyncDisposableStack());
  stack.use(recorder);
  const fixed = options.config !== null;
  // Takes reviews from the first one on.
  if (fixed) await recorder.prepare(documents);
  const { tls, path } = options.admission;
  if (tls === null) throw new TypeError("a process that is no installation has files of its certificate");
  const review = (body: Uint8Array): Promise<string> => intake.review(body);
  const listener = await listen({ options, certificate: tls, paths: [path], review, intake, coverage }, ports);
  listening.use(listener);
  if (fixed) {
    await recorder.open();
    return listener;
  }
  const followed: FollowedRules = new FollowedRules(
    {
      options,
      api,
      changed: () => recorder.follow(followed.accepted),
      recording: () => recorder.recording,
      holds: () => true,
      keysTrouble: () => null,
    },
    ports,
  );
  stack.use(followed);
  return listener;
}

/** An installation of a cluster, maybe one replica of several. What has to be closed is left with `stack`. */
async function runInstalled(
  household: Household,
  ports: EnginePorts,
  stack: AsyncDisposableStack,
): Promise<ReviewListener> {
  const { plan, api, recorder, keys } = household;
  const { options, documents } = plan;
  const { installation: place } = options;
  if (place === null) throw new TypeError("there is no installation");
  let followed: FollowedRules | null = null;
  const accepted = (): readonly RuleDocument[] | null =>
    options.config === null ? (followed?.accepted ?? null) : documents;
  const installation = stack.use(
    await Installation.open({ ...household, options, installation: place, accepted }, ports),
  );
  if (keys !== null) keys.office = installation;
  recorder.watched = (types) => installation.watch(types);
  if (options.config === null) {
    const changed = (): void => installation.follow();
    const recording = (): Recording | null => recorder.recording;
    const keysTrouble = (): KeysTrouble | null => keys?.trouble ?? null;
    const rules = { options, api, changed, recording, holds: () => installation.holds, keysTrouble };
    followed = stack.use(new FollowedRules(rules, ports));
  }
  const listener = await installation.listen();
  if (!installation.holds) household.readiness.standingBy();
  return listener;
}

/** A key that was mounted is nobody's to keep. */
function keepsKeysInSecret({ installation, installationKeyFile }: RunOptions): boolean {
  return installation !== null && installationKeyFile === null;
}

async function untilReady(readiness: Readiness, { clock, signal }: EnginePorts): Promise<void> {
  while (!readiness.ready && !signal.aborted) {
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.after(readyPollMs, resolve);
    await promise;
  }
}

function addressOf({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
