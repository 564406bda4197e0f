/**
 * From the bytes of a watch to what the branches are told, on one core: frames of Deployment updates, half of them status-only, the
 * correlations of their reviews delivered before each chunk, through the watch actor and the engine to the outlet. Beside it, in
 * the same run, framing + JSON.parse of the same bytes; and what the actors cost alone. Trust the ratios: all contestants take turns
 * in one process. Not measured: TLS, HTTP, the scan of the reviews (bench/webhook.ts), Git (bench/commit.ts).
 *
 *     node bench/engine.ts [--smoke] [--json]
 */

import { Subject } from "rxjs";

import type { CorrelationMessage } from "../actors/engine.ts";
import { defaultEngineBounds, Engine } from "../actors/engine.ts";
import { ResourceActor } from "../actors/resource-actor.ts";
import { WatchActor } from "../actors/watch-actor.ts";
import type { BranchMessage, ResourceKey, ResourceVersion, WatchMessage } from "../machines/messages.ts";
import { scanReview } from "../src/admission/review-scan.ts";
import { nodeClock } from "../src/composition/node-clock.ts";
import { createWatchSource } from "../src/kubernetes/api-watch-source.ts";
import { FrameSplitter } from "../src/kubernetes/frames.ts";
import { sameContent } from "../src/sanitize/same-content.ts";
import { digestOf, environment, median, print, smoke } from "./environment.ts";
import { quietLog, quietMeter, replayedApi } from "./quiet-ports.ts";
import { deployments, Traffic } from "./traffic.ts";

const rounds = smoke ? 1 : 7;
const size = smoke ? { resources: 100, writes: 4 } : { resources: 2000, writes: 4 };
const eventsPerRound = size.resources * size.writes;
/** What node:https hands over: a TLS record. */
const chunkBytes = 16 * 1024;

/** What arrives together: reviews first, as the API server sees to it. */
interface Batch {
  readonly correlations: readonly CorrelationMessage[];
  readonly bytes: Buffer;
}

interface World {
  readonly engine: Engine;
  readonly correlation$: Subject<CorrelationMessage>;
  readonly watch$: Subject<WatchMessage>;
  readonly said: BranchMessage[];
}

const traffic = new Traffic(size);
const writes = traffic[Symbol.iterator]();
let arrival = 0;
/** Of the contestant that goes the whole way: every change and its verdict. */
const told: string[] = [];
const whole = createWorld();
/** The first list, and the first turn's events: what the actors alone are given. */
const seen: WatchMessage[] = [];
whole.watch$.subscribe((message) => seen.push(message));
await watched({ world: whole, of: [] });
const decoded = await decodedOf(batches());

interface Contestant {
  readonly name: string;
  /** Returns how long it took, in ms; what must be made first does not count. */
  run(of: readonly Batch[]): Promise<number>;
}

const contestants: readonly Contestant[] = [
  { name: "framing + JSON.parse", run: parsed },
  { name: "watch actor (bytes to WatchMessage)", run: (of) => watched({ world: null, of }) },
  { name: "watch actor + engine (bytes to change)", run: (of) => watched({ world: whole, of }) },
  { name: "engine alone, an event and its correlation", run: () => messaged(decoded) },
  { name: "engine alone, an event", run: () => messaged(decoded.map((each) => ({ ...each, correlations: [] }))) },
  { name: "an actor from its record and back", run: revived },
];

const samples = contestants.map((): number[] => []);
for (let round = -1; round < rounds; round += 1) {
  const of = batches();
  for (const [index, contestant] of contestants.entries()) {
    const perSecond = (eventsPerRound / (await contestant.run(of))) * 1000;
    if (round >= 0) samples[index]?.push(perSecond);
  }
}
whole.engine[Symbol.dispose]();
const figures = contestants.map(({ name }, index) => {
  const perSecond = median(samples[index] ?? []);
  const ratios = (samples[index] ?? []).map((each, round) => each / (samples[0]?.[round] ?? 1));
  return { name, perSecond: Math.round(perSecond), nsPerEvent: Math.round(1e9 / perSecond), ratio: median(ratios) };
});
const tiers = Object.groupBy(told, (line) => line.slice(0, line.indexOf(" ")));
const verdicts = Object.fromEntries(Object.entries(tiers).map(([tier, lines]) => [tier, lines?.length ?? 0]));
const hash = digestOf(told);
const where = `${environment}, ${rounds} rounds of ${eventsPerRound} events`;
print({ bench: "engine", environment: where, hash, verdicts, figures }, [
  `${where}; verdicts ${JSON.stringify(verdicts)}; hash ${hash}`,
  "",
  ...figures.map(
    ({ name, perSecond, nsPerEvent, ratio }) =>
      `${name.padEnd(42)} ${String(perSecond).padStart(9)} events/s ${String(nsPerEvent).padStart(7)} ns ${ratio.toFixed(2).padStart(6)} x JSON.parse`,
  ),
]);

/** The next round's writes in chunks. Made outside of what is timed. */
function batches(): readonly Batch[] {
  const all: Batch[] = [];
  let correlations: CorrelationMessage[] = [];
  let frames: Buffer[] = [];
  let length = 0;
  const cut = (): void => {
    if (frames.length > 0) all.push({ correlations, bytes: Buffer.concat(frames) });
    correlations = [];
    frames = [];
    length = 0;
  };
  for (let count = 0; count < eventsPerRound; count += 1) {
    const write = writes.next().value;
    correlations.push(correlationOf(Buffer.from(write.review)));
    frames.push(write.frame);
    length += write.frame.length;
    if (length >= chunkBytes) cut();
  }
  cut();
  return all;
}

function correlationOf(review: Buffer): CorrelationMessage {
  const { outcome } = scanReview(review, []);
  if (outcome.kind !== "recorded" || outcome.object === null) throw new Error("a review was not recorded");
  arrival += 1;
  return {
    correlation: { arrival, atMs: nodeClock.nowMs(), ...outcome.draft, restored: false },
    object: review.subarray(outcome.object.start, outcome.object.end),
  };
}

function createWorld(): World {
  const correlation$ = new Subject<CorrelationMessage>();
  const watch$ = new Subject<WatchMessage>();
  const said: BranchMessage[] = [];
  const engine = new Engine({
    clock: nodeClock,
    meter: quietMeter,
    log: quietLog,
    bounds: defaultEngineBounds,
    contentEquals: sameContent,
    correlation$,
    watch$,
    outlet: (message) => said.push(message),
  });
  return { engine, correlation$, watch$, said };
}

function parsed(of: readonly Batch[]): Promise<number> {
  const splitter = new FrameSplitter((bytes, start, end) => void JSON.parse(bytes.toString("utf8", start, end)));
  const startMs = performance.now();
  for (const { bytes } of of) splitter.push(bytes);
  return Promise.resolve(performance.now() - startMs);
}

/** Without a world the messages go nowhere. With no batches it ends with the list. */
async function watched({ world, of }: { world: World | null; of: readonly Batch[] }): Promise<number> {
  let count = 0;
  const chunks = async function* (): AsyncIterable<Uint8Array> {
    for (const { correlations, bytes } of of) {
      if (world !== null) for (const message of correlations) world.correlation$.next(message);
      yield await Promise.resolve(bytes);
    }
  };
  let startMs = performance.now();
  await using watch = new WatchActor({
    type: deployments,
    cursor: { epoch: 0, resourceVersion: traffic.listVersion },
    source: createWatchSource({
      api: replayedApi({ list: traffic.list, chunks, version: () => traffic.listVersion }),
      clock: nodeClock,
    }),
    clock: nodeClock,
    random: () => 0.5,
    meter: quietMeter,
    log: quietLog,
    sink: (message) => {
      if (message.kind === "observed") count += 1;
      // The list opens the stream; only the very first one is the engine's.
      if (message.kind === "observed" || of.length === 0) world?.watch$.next(message);
      if (message.kind === "listed") startMs = performance.now();
    },
    until: () => count === (of.length === 0 ? 0 : eventsPerRound),
  });
  await watch.done;
  const elapsedMs = performance.now() - startMs;
  if (world !== null) check(world.said, of.length === 0 ? 1 : eventsPerRound);
  if (world !== null) world.said.length = 0;
  return elapsedMs;
}

/** Every event said one thing; what came of the writes goes into the result's hash, without the versions. */
function check(said: readonly BranchMessage[], expected: number): void {
  if (said.length !== expected) throw new Error(`${expected} messages were expected, and ${said.length} came`);
  for (const message of said) {
    if (message.kind !== "changed") continue;
    const { name, verdict } = message.change;
    told.push(`${verdict.tier} ${name} ${verdict.author?.user ?? "nobody"}`);
  }
}

interface Decoded {
  readonly correlations: readonly CorrelationMessage[];
  readonly observed: readonly WatchMessage[];
}

async function decodedOf(of: readonly Batch[]): Promise<readonly Decoded[]> {
  await watched({ world: whole, of });
  const observed = seen.splice(1);
  let at = 0;
  return of.map(({ correlations }) => ({ correlations, observed: observed.slice(at, (at += correlations.length)) }));
}

/** A new engine that knows the first list. */
function messaged(of: readonly Decoded[]): Promise<number> {
  const world = createWorld();
  const list = seen[0];
  if (list !== undefined) world.watch$.next(list);
  const startMs = performance.now();
  for (const { correlations, observed } of of) {
    for (const message of correlations) world.correlation$.next(message);
    for (const message of observed) world.watch$.next(message);
  }
  const elapsedMs = performance.now() - startMs;
  world.engine[Symbol.dispose]();
  seen.length = 1;
  return Promise.resolve(elapsedMs);
}

function revived(): Promise<number> {
  const message = decoded[0]?.observed[0];
  if (message?.kind !== "observed") throw new Error("there are no events");
  const { uid, objectHash, restHash, replicas } = message.event;
  const known = { state: "live", epoch: 0, uid, objectHash, restHash, replicas, markedThrough: "", tie: null } as const;
  const options = {
    markedThrough: "",
    mailboxCapacity: 1,
    attempts: 1,
    apply: () => undefined,
    onFault: () => undefined,
  } as const;
  const key = "bench" as ResourceKey;
  let alive = 0;
  const startMs = performance.now();
  for (let index = 0; index < eventsPerRound; index += 1) {
    const record = { ...known, resourceVersion: String(index) as ResourceVersion };
    const actor = new ResourceActor(record, { ...options, key, typeKey: deployments.key });
    if (actor.passivate()?.resourceVersion === record.resourceVersion) alive += 1;
  }
  if (alive !== eventsPerRound) throw new Error("an actor came back with another record");
  return Promise.resolve(performance.now() - startMs);
}
