import { describe, expect, test } from "vitest";
import { openBranchActor, type BranchActor } from "../../actors/branch-actor.ts";
import type { BranchLimits } from "../../actors/branch-options.ts";
import type { CommittedFlush } from "../../actors/committed-changes.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { BranchMessage, ResourceType } from "../../machines/messages.ts";
import {
  changed,
  changeOf,
  configmaps,
  cursor,
  event,
  FakeCatchUp,
  FakeLog,
  FakeMeter,
  FakePool,
  memoryFiles,
  progressed,
  relisted,
  secrets,
  verdictBy,
} from "../fakes/branch-world.ts";
import { createSimulatedClock, settled } from "../../src/simulation/simulated-clock.ts";

async function openBranch(
  options: {
    readonly pool?: FakePool;
    readonly types?: readonly ResourceType[];
    readonly limits?: Partial<BranchLimits>;
    readonly at?: number;
    readonly files?: Map<string, string>;
    readonly committed?: (flush: CommittedFlush) => void;
  } = {},
) {
  const pool = options.pool ?? new FakePool();
  if (options.at !== undefined) {
    pool.cursors.set(configmaps.key, cursor(options.at));
    pool.cursors.set(secrets.key, cursor(options.at));
    pool.tip = "tip-0";
  }
  const clock = createSimulatedClock();
  const catchUp = new FakeCatchUp();
  const meter = new FakeMeter();
  const log = new FakeLog();
  const branch = await openBranchActor({
    targetId: "default/history",
    cluster: "cluster-1",
    types: (options.types ?? [configmaps]).map(({ key }) => key),
    pool,
    catchUp: catchUp.run,
    clock,
    random: () => 0.5,
    files: memoryFiles(options.files),
    dataDir: "/data",
    meter,
    log,
    limits: options.limits ?? {},
    ...(options.committed === undefined ? {} : { committed: options.committed }),
  });
  return { branch, pool, clock, catchUp, meter, log };
}

function receive(branch: BranchActor, ...messages: readonly BranchMessage[]): void {
  for (const message of messages) branch.receive(message);
}

const notNow = new KubescribeError("git-busy", "busy", { retry: "backoff" });
const never = new KubescribeError("git-broken", "broken", { retry: "never" });

describe("those who follow changes", () => {
  test("are told of each commit behind its flush, with its id and its times", async () => {
    const flushes: CommittedFlush[] = [];
    const { branch, clock, pool } = await openBranch({ at: 1, committed: (flush) => flushes.push(flush) });
    pool.answer = null;
    receive(branch, changed({ version: 2 }));
    await clock.run(4);
    receive(branch, changed({ version: 3 }), progressed(4));
    await clock.run(10);
    await clock.run(20);
    expect(flushes).toEqual([]);
    const startMs = clock.nowMs() - 34;
    pool.finish();
    await settled();
    expect(
      flushes.map(({ changes, ...flush }) => ({
        ...flush,
        changes: changes.map(({ change, ...rest }) => ({ version: change.resourceVersion, ...rest })),
      })),
    ).toEqual([
      {
        targetId: "default/history",
        startedAtMs: startMs + 10,
        endedAtMs: startMs + 34,
        changes: [
          { version: "2", commit: "commit-1", queuedAtMs: startMs },
          { version: "3", commit: "commit-2", queuedAtMs: startMs + 4 },
        ],
      },
    ]);
  });

  test("are not told of what makes no commit", async () => {
    const flushes: CommittedFlush[] = [];
    const pool = new FakePool();
    pool.flush = async (_, { entries }) => ({ tip: "tip", commits: entries.map((_entry, at) => at), ids: ["", "b"] });
    const { branch, clock } = await openBranch({ pool, at: 1, committed: (flush) => flushes.push(flush) });
    receive(branch, changed({ version: 2 }), changed({ version: 3 }));
    await clock.run(10);
    expect(flushes.map(({ changes }) => changes.map(({ commit }) => commit))).toEqual([["b"]]);
  });

  test("are nobody by default, and then no ids are asked for", async () => {
    const { branch, clock, pool } = await openBranch({ at: 1 });
    receive(branch, changed({ version: 2 }));
    await clock.run(10);
    expect(pool.requests).toHaveLength(1);
    expect(pool.requests[0]).not.toHaveProperty("wantsIds");
  });
});

describe("batches", () => {
  test("the first change waits for the window, and those that come meanwhile share its flush", async () => {
    const { branch, pool, clock } = await openBranch({ at: 1 });
    receive(branch, changed({ version: 2 }));
    await clock.run(9);
    receive(branch, changed({ version: 3 }));
    expect(pool.requests).toHaveLength(0);
    await clock.run(1);
    expect(pool.log).toEqual(["UPDATE a@2 alice", "UPDATE a@3 alice"]);
    expect(branch.cursorOf(configmaps.key)).toEqual(cursor(3));
    expect(branch.status().state).toBe("idle");
  });

  test("a full flush does not wait, and a backlog follows at once", async () => {
    const { branch, pool } = await openBranch({ at: 1, limits: { flushChanges: 2 } });
    pool.answer = null;
    receive(branch, changed({ version: 2 }), changed({ version: 3 }), changed({ version: 4 }), changed({ version: 5 }));
    expect(pool.requests).toHaveLength(1);
    pool.finish();
    await settled();
    expect(pool.requests.map(({ entries }) => entries.length)).toEqual([2, 2]);
    expect(pool.requests[0]?.cursors.get(configmaps.key)).toEqual(cursor(3));
  });

  test("the cursor passes what commits nothing only after what stands before it", async () => {
    const { branch, pool, clock } = await openBranch({ at: 1 });
    receive(branch, progressed(2));
    expect(branch.cursorOf(configmaps.key)).toEqual(cursor(2));
    expect(clock.armed).toBe(1);
    receive(branch, changed({ version: 3 }), progressed(4));
    expect(branch.cursorOf(configmaps.key)).toEqual(cursor(2));
    await clock.run(10);
    expect(pool.requests).toHaveLength(1);
    expect(branch.cursorOf(configmaps.key)).toEqual(cursor(4));
  });

  test("what is at or below the cursor is skipped, for its own type only", async () => {
    const { branch, pool, clock } = await openBranch({ at: 5 });
    receive(branch, changed({ version: 5 }), changed({ version: 4 }), progressed(3), changed({ version: 6 }));
    receive(branch, changed({ version: 6, name: "s", type: secrets }), changed({ version: 6 }));
    await clock.run(10);
    expect(pool.log).toEqual(["UPDATE a@6 alice", "UPDATE s@6 alice"]);
  });
});

describe("first contact", () => {
  test("the first lists share a flush, and changes queue behind them", async () => {
    const { branch, pool, clock } = await openBranch({ types: [configmaps, secrets] });
    receive(branch, relisted(5, [event({ version: 4 })]), changed({ version: 6 }));
    await clock.run(9_000);
    expect(pool.requests).toHaveLength(0);
    receive(branch, relisted(7, [event({ version: 3, name: "s", type: secrets })]));
    await settled();
    expect(pool.requests).toHaveLength(1);
    expect(pool.log).toEqual(["snapshot core/configmaps@5 a", "snapshot core/secrets@7 s", "UPDATE a@6 alice"]);
  });

  test("a list that does not come is not waited for longer than the bound", async () => {
    const { branch, pool, clock } = await openBranch({ types: [configmaps, secrets] });
    receive(branch, relisted(5, [event({ version: 4 })]));
    await clock.run(10_000);
    expect(pool.log).toEqual(["snapshot core/configmaps@5 a"]);
    receive(branch, changed({ version: 6 }));
    await clock.run(10);
    expect(pool.log).toHaveLength(2);
    receive(branch, relisted(7, [event({ version: 3, name: "s", type: secrets })]));
    await clock.run(10);
    expect(pool.log).toHaveLength(3);
  });

  test("a backlog that is full does not wait for lists", async () => {
    const { branch, pool } = await openBranch({ types: [configmaps, secrets], limits: { backlogBytes: 1500 } });
    receive(branch, relisted(5, [event({ version: 4 })]), changed({ version: 6 }));
    await settled();
    expect(pool.log).toEqual(["snapshot core/configmaps@5 a"]);
  });

  test("a type of which the shared watch has no list to give makes its own", async () => {
    const { branch, pool, clock, catchUp } = await openBranch();
    receive(branch, changed({ version: 6 }));
    expect(catchUp.starts).toEqual([{ typeKey: configmaps.key, from: null, seen: cursor(6) }]);
    const items = [event({ version: 6 })];
    catchUp.send({
      kind: "listed",
      type: configmaps,
      resourceVersion: cursor(8).resourceVersion,
      epoch: 0,
      unbroken: false,
      items,
    });
    expect(catchUp.running).toBe(false);
    receive(branch, changed({ version: 7 }), changed({ version: 9 }));
    await clock.run(10);
    expect(pool.log).toEqual(["snapshot core/configmaps@8 a", "UPDATE a@9 alice"]);
  });
});

describe("relists", () => {
  test("an older cursor: the differences, then a resync, never split; the cursor moves with the last", async () => {
    const { branch, pool, clock } = await openBranch({ at: 5, limits: { flushChanges: 2 } });
    const items = ["a", "b", "c"].map((name) => event({ name, version: 9 }));
    receive(
      branch,
      relisted(
        9,
        items,
        items.map((item) => changeOf(item, "bob")),
      ),
    );
    await clock.run(10);
    expect(pool.log).toEqual(["UPDATE a@9 bob", "UPDATE b@9 bob", "UPDATE c@9 bob", "resync core/configmaps@9 a b c"]);
    expect(pool.requests).toHaveLength(1);
    receive(branch, relisted(9, items));
    expect(branch.status().queueDepth).toBe(0);
  });
});

describe("failures", () => {
  test("a failed flush is repeated whole after a growing pause; nothing is lost", async () => {
    const { branch, pool, clock, meter } = await openBranch({ at: 1 });
    pool.answer = () => notNow;
    receive(branch, changed({ version: 2 }));
    await clock.run(10);
    expect(branch.status()).toMatchObject({ state: "backingOff", lastError: { code: "git-busy" }, queueDepth: 1 });
    receive(branch, changed({ version: 3 }));
    await clock.run(400);
    expect(pool.requests).toHaveLength(2);
    await clock.run(799);
    expect(pool.requests).toHaveLength(2);
    pool.answer = () => null;
    await clock.run(1);
    expect(pool.log).toEqual(["UPDATE a@2 alice", "UPDATE a@3 alice"]);
    expect(pool.requests.slice(0, 3).map(({ entries }) => entries.length)).toEqual([1, 1, 1]);
    expect(branch.status().lastError).toBeNull();
    expect(meter.counts.get("flushes failed")).toBe(2);
  });

  test("what no retry helps stops the target, loudly, and holds no bytes", async () => {
    const { branch, pool, clock, meter, log } = await openBranch({ at: 1 });
    pool.answer = () => never;
    receive(branch, changed({ version: 2 }));
    await clock.run(10);
    expect(branch.status()).toMatchObject({ state: "stopped", queueBytes: 0, lastError: { code: "git-broken" } });
    expect(meter.read("target_stopped")).toBe(1);
    expect(log.lines.some((line) => line.startsWith("error target stopped"))).toBe(true);
    receive(branch, changed({ version: 3 }));
    expect(branch.status().queueDepth).toBe(0);
    expect(branch.cursorOf(configmaps.key)).toEqual(cursor(1));
  });
});

describe("evidence", () => {
  test("amends what waits, and has no effect on what is in flight", async () => {
    const { branch, pool, clock, meter } = await openBranch({ at: 1, limits: { flushChanges: 1 } });
    pool.answer = null;
    receive(branch, changed({ version: 2 }), changed({ version: 3 }));
    for (const version of [2, 3]) {
      const { uid, resourceVersion } = event({ version });
      branch.receive({ kind: "amended", typeKey: configmaps.key, uid, resourceVersion, verdict: verdictBy("bob") });
    }
    pool.finish();
    await clock.run(10);
    pool.finish();
    expect(pool.log).toEqual(["UPDATE a@2 alice", "UPDATE a@3 bob"]);
    expect(meter.counts.get("amendments_late")).toBe(1);
  });
});

describe("shutdown", () => {
  test("ends what is told of the branch: nothing that it left behind grows older", async () => {
    const { branch, clock, pool, meter } = await openBranch({ at: 1 });
    pool.answer = () => notNow;
    receive(branch, changed({ version: 2 }));
    await clock.run(5000);
    expect(meter.read("oldest_uncommitted_age_seconds")).toBe(5);
    await branch[Symbol.asyncDispose]();
    const told = ["queue_depth", "queue_bytes", "oldest_uncommitted_age_seconds", "detached", "target_stopped"];
    expect(told.map((name) => meter.read(name))).toEqual(told.map(() => Number.NaN));
  });

  test("drain flushes at once, through a pause too, and resolves when durable", async () => {
    const { branch, pool } = await openBranch({ at: 1, limits: { flushChanges: 1, batchWindowMs: 1000 } });
    receive(branch, changed({ version: 2 }), changed({ version: 3 }));
    await branch.drain(new AbortController().signal);
    expect(pool.log).toHaveLength(2);
  });

  test("a drain that is aborted says what is left", async () => {
    const { branch, pool } = await openBranch({ at: 1 });
    pool.answer = () => notNow;
    receive(branch, changed({ version: 2 }));
    const controller = new AbortController();
    const drained = branch.drain(controller.signal);
    controller.abort();
    await expect(drained).rejects.toMatchObject({ code: "branch-drain-unfinished" });
    await branch[Symbol.asyncDispose]();
  });
});

describe("the copy of the cursors", () => {
  const path = "/data/cursors/default%2Fhistory.json";

  test("is written each minute if a cursor moved, and counts only with its own tip", async () => {
    const files = new Map<string, string>();
    const first = await openBranch({ at: 1, files });
    await first.clock.run(60_000);
    expect(files.size).toBe(0);
    receive(first.branch, progressed(7));
    await first.clock.run(60_000);
    expect([...files.keys()]).toEqual([path]);
    const again = await openBranch({ at: 1, files });
    expect(again.branch.cursorOf(configmaps.key)).toEqual(cursor(7));
    const elsewhere = new FakePool();
    elsewhere.tip = "another";
    expect((await openBranch({ pool: elsewhere, files })).branch.cursorOf(configmaps.key)).toBeUndefined();
  });

  test.each([
    ["torn", '{"cluster":"cluster-1","target":'],
    ["foreign", '{"cluster":"x","target":"default/history","tip":"tip-0","cursors":{}}'],
    [
      "forged",
      '{"cluster":"cluster-1","target":"default/history","tip":"tip-0","cursors":{"core/configmaps":{"epoch":0,"resourceVersion":"-1"}}}',
    ],
  ])("is ignored with a warning when it is %s", async (_, text) => {
    const { branch, log } = await openBranch({ at: 1, files: new Map([[path, text]]) });
    expect(branch.cursorOf(configmaps.key)).toEqual(cursor(1));
    expect(log.lines).toHaveLength(1);
  });
});
