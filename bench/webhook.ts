/**
 * Admission reviews over TLS: the real server, with its journal on disk, beside a bare HTTPS server of Node that reads the same
 * bodies and answers the same bytes; as fast as they answer, and at 500 a second. First with nothing else, then while another process
 * commits at full speed. Trust the ratios: the two take turns, and the median of the rounds' ratios counts.
 *
 *     node bench/webhook.ts [--smoke] [--json]
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";

import { createReviewHandler } from "../src/admission/review-handler.ts";
import { nodeClock } from "../src/composition/node-clock.ts";
import { createNodeFileSystem } from "../src/composition/node-file-system.ts";
import { openJournal } from "../src/journal/journal.ts";
import { digestOf, environment, print, quantile, smoke } from "./environment.ts";
import { quietLog } from "./quiet-ports.ts";
import type { RaceResult } from "./webhook-race.ts";
import { openWebhookRace, reviewedBodies } from "./webhook-race.ts";

const rounds = smoke ? 1 : 7;
const pacedPerSecond = 500;
const goals = { throughput: 0.75, p99: 1.5, handlerP99Ms: 2 };

interface State {
  readonly state: "idle" | "beside commits";
  readonly fast: RaceResult;
  readonly paced: RaceResult;
  /** In the handler, the journal included, at the rate. */
  readonly handlerP99Ms: number;
  readonly commitsPerSecond: number;
}

await using stack = new AsyncDisposableStack();
const directory = await mkdtemp(`${tmpdir()}/kubescribe-bench-`);
stack.defer(() => rm(directory, { recursive: true }));
const faults = new Map<string, number>();
const durationsMs: number[] = [];
const meter = {
  count: (name: string): void => void faults.set(name, (faults.get(name) ?? 0) + 1),
  record: (_name: string, seconds: number): void => void durationsMs.push(seconds * 1000),
  gauge: () => undefined,
};
const files = createNodeFileSystem();
const ports = { clock: nodeClock, meter, log: quietLog };
const { journal } = await openJournal({ ...ports, files, directory: `${directory}/journal`, sync: false });
stack.use(journal);
const seen = new Set<string>();
let arrival = 0;
const handleReview = createReviewHandler({
  ...ports,
  journal,
  claimKeys: [],
  nextArrival: () => (arrival += 1),
  // What is found in each body is noted once, before the load: a set of strings is no part of the way.
  correlate: ({ uid, base, objectHash, unchanged }) =>
    arrival > reviewedBodies.length ? undefined : seen.add(`${uid} ${base} ${objectHash} ${unchanged}`),
});
const race = stack.use(await openWebhookRace({ directory, handleReview }));
const idle = await measured("idle");
const background = spawn(process.execPath, [new URL("commit-load.ts", import.meta.url).pathname], {
  stdio: ["pipe", "pipe", "inherit"],
});
await once(background.stdout, "data");
const told = once(background.stdout, "data") as Promise<[Buffer]>;
const besides = await measured("beside commits");
background.stdin.end();
const [commitsPerSecond] = await told;
const states = [idle, { ...besides, commitsPerSecond: Math.round(Number(String(commitsPerSecond))) }];

const broken = ["webhook_faults", "journal_errors", "webhook_rejected"].reduce(
  (sum, name) => sum + (faults.get(name) ?? 0),
  0,
);
const where = `${environment}, ${rounds} rounds of 1.5 s each, 25 connections, ${reviewedBodies[0]?.length ?? 0} bytes`;
const hash = digestOf([...seen].sort());
print({ bench: "webhook", environment: where, hash, goals, faults: broken, states }, [
  `${where}; faults ${broken}, hash ${hash}`,
  ...states.flatMap(linesOf),
]);

async function measured(state: State["state"]): Promise<State> {
  const fast = await race.run({ rounds, perSecond: null });
  durationsMs.length = 0;
  const paced = await race.run({ rounds, perSecond: pacedPerSecond });
  return { state, fast, paced, handlerP99Ms: quantile(durationsMs, 0.99), commitsPerSecond: 0 };
}

function linesOf({ state, fast, paced, handlerP99Ms, commitsPerSecond }: State): readonly string[] {
  const verdict = (reached: boolean): string => (reached ? "reached" : "missed");
  const behind = commitsPerSecond > 0 ? ` (${commitsPerSecond} commits/s)` : "";
  return [
    `${state}${behind}`,
    `  throughput      ${fast.ours.perSecond}/s, bare ${fast.bare.perSecond}/s: ratio ${fast.throughputRatio} ` +
      `(goal ${goals.throughput}: ${verdict(fast.throughputRatio >= goals.throughput)}); CPU ${fast.ours.cpuUs} us, bare ${fast.bare.cpuUs} us: ${fast.cpuRatio}`,
    `  p99 at ${pacedPerSecond}/s    ${paced.ours.p99Ms} ms, bare ${paced.bare.p99Ms} ms: ratio ${paced.p99Ratio} ` +
      `(goal ${goals.p99}: ${verdict(paced.p99Ratio <= goals.p99)}); p50 ${paced.ours.p50Ms} and ${paced.bare.p50Ms} ms`,
    `  in the handler  p99 ${handlerP99Ms} ms (goal ${goals.handlerP99Ms} ms: ${verdict(handlerP99Ms < goals.handlerP99Ms)})`,
  ];
}
