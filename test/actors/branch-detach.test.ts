import { describe, expect, test } from "vitest";
import { openBranchActor, type BranchActor } from "../../actors/branch-actor.ts";
import type { BranchLimits } from "../../actors/branch-options.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { BranchMessage, WatchEvent, WatchMessage } from "../../machines/messages.ts";
import {
  changed,
  configmaps,
  cursor,
  event,
  FakeCatchUp,
  FakeLog,
  FakeMeter,
  FakePool,
  memoryFiles,
  progressed,
  secrets,
  verdictBy,
} from "../fakes/branch-world.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";

const entryBytes = 522;
const notNow = new KubescribeError("git-busy", "busy", { retry: "backoff" });

/** A target at version 1 of two types, with room for two changes, whose Git does not work. */
async function openBusyBranch(limits: Partial<BranchLimits> = {}) {
  const pool = new FakePool();
  pool.cursors = new Map([configmaps, secrets].map(({ key }) => [key, cursor(1)]));
  pool.answer = () => notNow;
  const clock = createSimulatedClock();
  const catchUp = new FakeCatchUp();
  const meter = new FakeMeter();
  const branch = await openBranchActor({
    targetId: "default/history",
    cluster: "cluster-1",
    types: [configmaps.key, secrets.key],
    pool,
    catchUp: catchUp.run,
    clock,
    random: () => 0.5,
    files: memoryFiles(),
    dataDir: "/data",
    meter,
    log: new FakeLog(),
    limits: { backlogBytes: 2 * entryBytes, ...limits },
  });
  return { branch, pool, clock, catchUp, meter };
}

type World = Awaited<ReturnType<typeof openBusyBranch>>;

function receive(branch: BranchActor, ...messages: readonly BranchMessage[]): void {
  for (const message of messages) branch.receive(message);
}

function observed(...versions: readonly number[]): readonly WatchMessage[] {
  return versions.map((version) => ({ kind: "observed", event: event({ version }), epoch: 0 }));
}

function listed(version: number, items: readonly WatchEvent[]): WatchMessage {
  return { kind: "listed", type: configmaps, ...cursor(version), unbroken: false, items };
}

/** Git works again, and what was queued is committed. */
async function mend({ pool, clock }: World): Promise<void> {
  pool.answer = () => null;
  await clock.run(30_000);
}

describe("a target that cannot keep up", () => {
  test("refuses what does not fit, keeps who wrote it, and catches up once Git works again", async () => {
    const world = await openBusyBranch();
    const { branch, pool, clock, catchUp, meter } = world;
    receive(branch, changed({ version: 2 }, "alice"), changed({ version: 3 }, "bob"));
    receive(branch, changed({ version: 4 }, "carol"), progressed(5), changed({ version: 6 }, "dave"));
    await clock.run(20_000);
    expect(branch.status()).toMatchObject({ supply: "detached", queueDepth: 2, detachedTypes: [configmaps.key] });
    expect(meter.read("detached")).toBe(1);
    expect(meter.read("oldest_uncommitted_age_seconds")).toBe(20);
    expect(catchUp.starts).toHaveLength(0);
    await mend(world);
    expect(catchUp.starts).toEqual([{ typeKey: configmaps.key, from: cursor(3), seen: cursor(6) }]);
    catchUp.send(...observed(4, 5));
    receive(branch, changed({ version: 7 }, "erin"));
    await mend(world);
    catchUp.send(...observed(6));
    await mend(world);
    catchUp.send(...observed(7));
    expect(branch.status()).toMatchObject({ supply: "attached", detachedTypes: [] });
    receive(branch, changed({ version: 8 }, "frank"));
    await clock.run(1000);
    const users = ["alice", "bob", "carol", "dave", "erin", "frank"];
    expect(pool.log).toEqual([2, 3, 4, 6, 7, 8].map((version, at) => `UPDATE a@${version} ${users[at]}`));
    expect(branch.cursorOf(configmaps.key)).toEqual(cursor(8));
  });

  test("begins anew when the cluster is restored under its catch-up, which may hear nothing for long", async () => {
    const world = await openBusyBranch();
    const { branch, catchUp } = world;
    receive(branch, changed({ version: 2 }), changed({ version: 3 }), changed({ version: 4 }));
    await mend(world);
    branch.receive({ kind: "relisted", type: configmaps, cursor: cursor(2, 1), items: [], changes: [] });
    const begun = { typeKey: configmaps.key, from: null, seen: cursor(2, 1) };
    expect(catchUp.starts).toEqual([{ typeKey: configmaps.key, from: cursor(3), seen: cursor(4) }, begun]);
    catchUp.send({ kind: "listed", type: configmaps, ...cursor(2, 1), unbroken: false, items: [] });
    await mend(world);
    expect(branch.status()).toMatchObject({ supply: "attached", detachedTypes: [] });
    expect(catchUp.starts).toHaveLength(2);
  });

  test("other types go on, and those that are quiet do not detach", async () => {
    const world = await openBusyBranch();
    const { branch, pool } = world;
    receive(branch, changed({ version: 2 }), changed({ version: 3 }), changed({ version: 4 }), progressed(9, secrets));
    await mend(world);
    expect(branch.cursorOf(secrets.key)).toEqual(cursor(9));
    receive(branch, changed({ version: 10, name: "s", type: secrets }, "bob"));
    await mend(world);
    expect(pool.log.at(-1)).toBe("UPDATE s@10 bob");
  });

  test("names nobody where the verdict log was too short, and counts", async () => {
    const world = await openBusyBranch({ verdictLogEntries: 1 });
    const { branch, pool, catchUp, meter } = world;
    receive(branch, ...[2, 3, 4, 5].map((version) => changed({ version })));
    await mend(world);
    catchUp.send(...observed(4));
    await mend(world);
    catchUp.send(...observed(5));
    await mend(world);
    expect(pool.log.slice(2)).toEqual(["UPDATE a@4 unresolved", "UPDATE a@5 alice"]);
    expect(meter.counts.get("verdicts_lost")).toBe(1);
    expect(meter.counts.get("watch_enrich_misses")).toBe(1);
  });

  test("evidence amends a verdict in the log", async () => {
    const world = await openBusyBranch();
    const { branch, pool, catchUp } = world;
    receive(branch, ...[2, 3, 4].map((version) => changed({ version })));
    const { uid, resourceVersion } = event({ version: 4 });
    branch.receive({ kind: "amended", typeKey: configmaps.key, uid, resourceVersion, verdict: verdictBy("bob") });
    await mend(world);
    catchUp.send(...observed(4));
    await mend(world);
    expect(pool.log.at(-1)).toBe("UPDATE a@4 bob");
  });

  test("a catch-up that fails rests, and begins where it was", async () => {
    const world = await openBusyBranch();
    const { branch, clock, catchUp } = world;
    receive(branch, ...[2, 3, 4, 5].map((version) => changed({ version })));
    await mend(world);
    catchUp.send(...observed(4));
    catchUp.fail(new Error("connection refused"));
    await clock.run(399);
    expect(catchUp.starts).toHaveLength(1);
    await clock.run(1);
    expect(catchUp.starts.at(-1)?.from).toEqual(cursor(4));
  });

  test("a catch-up that is faster than Git pauses instead of filling the backlog", async () => {
    const world = await openBusyBranch({ backlogBytes: 4 * entryBytes });
    const { branch, pool, catchUp, clock } = world;
    receive(branch, ...Array.from({ length: 9 }, (_, at) => changed({ version: at + 2 })));
    await mend(world);
    pool.answer = null;
    catchUp.send(...observed(6, 7, 8));
    expect(branch.status()).toMatchObject({ supply: "detached", queueDepth: 2 });
    expect(catchUp.running).toBe(false);
    await clock.run(10);
    pool.finish();
    await clock.run(0);
    expect(catchUp.starts.at(-1)?.from).toEqual(cursor(7));
  });
});

describe("a catch-up beyond the API server's history", () => {
  test("commits differences: one known writer alone is the author, several are candidates, the rest is removed", async () => {
    const world = await openBusyBranch();
    const { branch, pool, catchUp } = world;
    receive(branch, changed({ version: 2 }), changed({ version: 3 }));
    receive(branch, changed({ version: 4, name: "b" }, "bob"), changed({ version: 5, name: "c" }, "carol"));
    receive(branch, changed({ version: 6, name: "c" }, "dave"), changed({ version: 7, name: "d" }, "erin", "DELETE"));
    receive(branch, progressed(7));
    await mend(world);
    catchUp.send(
      listed(7, [event({ version: 3 }), event({ version: 4, name: "b" }), event({ version: 6, name: "c" })]),
    );
    await mend(world);
    expect(pool.log.slice(2)).toEqual([
      "UPDATE b@4 bob",
      "UPDATE c@6 collapsed carol|dave",
      "DELETE d@7 erin",
      "resync core/configmaps@7 a b c",
    ]);
    expect(branch.status().supply).toBe("attached");
  });

  test("a list that is newer than the shared watch waits for its verdicts", async () => {
    const world = await openBusyBranch();
    const { branch, pool, catchUp } = world;
    receive(branch, ...[2, 3, 4].map((version) => changed({ version })));
    await mend(world);
    catchUp.send(listed(9, [event({ version: 8 })]));
    expect(catchUp.running).toBe(false);
    expect(branch.status().supply).toBe("awaitingLive");
    receive(branch, changed({ version: 8 }, "bob"), progressed(9));
    expect(branch.status().supply).toBe("attached");
    await mend(world);
    expect(pool.log.slice(2)).toEqual(["UPDATE a@8 collapsed alice|bob", "resync core/configmaps@9 a"]);
  });
});
