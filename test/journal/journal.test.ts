import { describe, expect, test } from "vitest";

import type { Correlation } from "../../machines/messages.ts";
import type { JournalOptions, OpenedJournal } from "../../src/journal/journal.ts";
import { openJournal } from "../../src/journal/journal.ts";
import { createRecorder } from "../admission/recorder.ts";
import { createSimulatedClock, settled } from "../../src/simulation/simulated-clock.ts";
import { correlationOf } from "./correlations.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { createMemoryFiles } from "./memory-files.ts";

const startMs = 1_000_000;

interface World {
  readonly files: MemoryFiles;
  readonly clock: ReturnType<typeof createSimulatedClock>;
  readonly recorder: ReturnType<typeof createRecorder>;
  /** As a new process would. */
  open(options?: Partial<JournalOptions>): Promise<OpenedJournal>;
  at(arrival: number, overrides?: Partial<Correlation>): Correlation;
}

function createWorld(): World {
  const files = createMemoryFiles();
  const clock = createSimulatedClock(startMs);
  const recorder = createRecorder();
  return {
    files,
    clock,
    recorder,
    at: (arrival, overrides) => correlationOf(arrival, clock.nowMs(), overrides),
    open: async (options) =>
      openJournal({
        directory: "/data/journal",
        files,
        clock,
        meter: recorder.meter,
        log: recorder.log,
        sync: false,
        ...options,
      }),
  };
}

const segmentsIn = ({ files }: World): readonly string[] =>
  [...files.contents.keys()].filter((path) => path.endsWith(".log"));

const arrivals = (opened: OpenedJournal): readonly number[] => opened.correlations.map(({ arrival }) => arrival);

describe("what was appended", () => {
  test("is restored by the next process, in arrival order, marked", async () => {
    const world = createWorld();
    const { journal, ...first } = await world.open();
    expect(first).toEqual({
      correlations: [],
      highestArrival: 0,
      lastLifeArrival: 0,
      lost: 0,
      doubtedThroughMs: Number.NEGATIVE_INFINITY,
      damaged: 0,
    });
    const hostile = world.at(1, { user: 'eve\nnew line "\\ \u2028 \ud800', claims: {}, replicas: 0, name: "a/b" });
    await Promise.all([journal.append(hostile), journal.append(world.at(2))]);
    await journal.append(world.at(3));
    const second = await world.open();
    expect(second.correlations).toEqual(
      [hostile, world.at(2), world.at(3)].map((each) => ({ ...each, restored: true })),
    );
    expect(second).toMatchObject({ highestArrival: 3, lastLifeArrival: 1, lost: 0, damaged: 0 });
  });

  test("is forgotten after the TTL, but numbers go on", async () => {
    const world = createWorld();
    const { journal } = await world.open();
    await journal.append(world.at(7));
    world.clock.jump(600_001);
    expect(await world.open()).toMatchObject({ correlations: [], highestArrival: 7 });
    const { journal: next } = await world.open();
    await next.append(world.at(8));
    expect(arrivals(await world.open())).toEqual([8]);
  });

  test("goes out together if it came together, or while a write is under way", async () => {
    const world = createWorld();
    const { journal } = await world.open();
    const gate = Promise.withResolvers<undefined>();
    world.files.gate = gate.promise;
    const append = async (arrival: number): Promise<void> => journal.append(world.at(arrival));
    const together = [1, 2].map(append);
    await settled();
    const meanwhile = [3, 4].map(append);
    await settled();
    expect(world.files.writes).toBe(0);
    gate.resolve(undefined);
    await Promise.all([...together, ...meanwhile]);
    expect(world.files.writes).toBe(2);
    expect(arrivals(await world.open())).toEqual([1, 2, 3, 4]);
  });

  test("is synced when that is asked for", async () => {
    const world = createWorld();
    const { journal } = await world.open({ sync: true });
    await journal.append(world.at(1));
    expect(world.files.syncs).toBe(1);
  });

  test("is written before close returns, and nothing after it", async () => {
    const world = createWorld();
    const { journal } = await world.open();
    const append = journal.append(world.at(1));
    await journal[Symbol.asyncDispose]();
    await append;
    await expect(journal.append(world.at(2))).rejects.toMatchObject({ code: "journal-closed" });
    expect(world.clock.armed).toBe(0);
  });
});

describe("damage", () => {
  test.each([
    ["a torn tail", (bytes: Buffer) => bytes.subarray(0, bytes.length - 5), [1, 2]],
    ["a torn middle", (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 250), bytes.subarray(270)]), [1, 3]],
    ["a line grown into the next", (bytes: Buffer) => Buffer.from(bytes.toString().replace("]\n", "]")), [3]],
    ["zeros at the end", (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(100)]), [1, 2, 3]],
    ["a flipped bit", (bytes: Buffer) => Buffer.from(bytes.toString().replace("alice", "alicf")), [2, 3]],
  ])("%s is skipped and counted", async (_name, damage, left) => {
    const world = createWorld();
    const { journal } = await world.open();
    for (const arrival of [1, 2, 3]) await journal.append(world.at(arrival));
    for (const [path, bytes] of world.files.contents) world.files.contents.set(path, damage(bytes));
    const opened = await world.open();
    expect(arrivals(opened)).toEqual(left);
    expect(opened.damaged).toBe(1);
    expect(world.recorder.counted("journal_damaged_lines")).toBe(1);
    await opened.journal.append(world.at(4));
    expect(arrivals(await world.open())).toEqual([...left, 4]);
  });

  test("a segment cut at any byte gives a prefix of its lines", async () => {
    const world = createWorld();
    const { journal } = await world.open();
    for (const arrival of [1, 2, 3]) await journal.append(world.at(arrival));
    const [[path, whole] = ["", Buffer.alloc(0)]] = world.files.contents;
    for (let end = 0; end <= whole.length; end += 7) {
      world.files.contents.set(path, whole.subarray(0, end));
      const found = arrivals(await world.open());
      expect(found).toEqual([1, 2, 3].slice(0, found.length));
    }
  });
});

describe("a disk without room", () => {
  test("rejects what could not be written, recovers by itself, and tells how many are missing", async () => {
    const world = createWorld();
    const { journal } = await world.open();
    await journal.append(world.at(1));
    world.files.freeBytes = 100;
    await expect(journal.append(world.at(2))).rejects.toMatchObject({ code: "ENOSPC" });
    await expect(journal.append(world.at(3))).rejects.toMatchObject({ code: "ENOSPC" });
    world.files.freeBytes = Infinity;
    await journal.append(world.at(4));
    await journal.append(world.at(5));
    const opened = await world.open();
    expect(arrivals(opened)).toEqual([1, 4, 5]);
    expect(opened).toMatchObject({ lost: 2, damaged: 1 });
    expect(segmentsIn(world)).toHaveLength(1);
  });

  test("is known to the next process even if nothing could be written any more, until it is written down", async () => {
    const world = createWorld();
    const { journal } = await world.open();
    await journal.append(world.at(1));
    expect((await world.open()).lost).toBe(0);
    world.files.freeBytes = 0;
    await expect(journal.append(world.at(2))).rejects.toMatchObject({ code: "ENOSPC" });
    expect(await world.open()).toMatchObject({ lost: 1, correlations: [{ arrival: 1 }] });
    // The next process dies before it writes anything, the one after it does not.
    const { journal: third, lost } = await world.open();
    expect(lost).toBe(1);
    world.files.freeBytes = Infinity;
    await third.append(world.at(3));
    expect((await world.open()).lost).toBe(1);
    world.clock.jump(660_001);
    const { journal: last } = await world.open();
    await last.append(world.at(4));
    expect(await world.open()).toMatchObject({ lost: 0, correlations: [{ arrival: 4 }] });
  });

  test("is told as long as a rival of that minute lives, whenever it can be written down", async () => {
    const world = createWorld();
    const { journal } = await world.open();
    const lostMs = world.clock.nowMs();
    world.files.freeBytes = 0;
    await expect(journal.append(world.at(1))).rejects.toMatchObject({ code: "ENOSPC" });
    world.files.freeBytes = Infinity;
    world.clock.jump(500_000);
    await journal.append(world.at(2));
    expect(await world.open()).toMatchObject({ lost: 1, doubtedThroughMs: lostMs + 60_000 });
    world.clock.jump(160_000);
    expect(await world.open()).toMatchObject({ lost: 1, correlations: [{ arrival: 2 }] });
    world.clock.jump(1);
    expect(await world.open()).toMatchObject({ lost: 0, doubtedThroughMs: Number.NEGATIVE_INFINITY });
  });

  test("is known to the next process where appends were refused, for a slow disk", async () => {
    const world = createWorld();
    const { journal } = await world.open({ maxPendingBytes: 1000 });
    await journal.append(world.at(1));
    world.files.gate = new Promise(() => undefined);
    await expect(Promise.race([2, 3, 4, 5, 6].map((arrival) => journal.append(world.at(arrival))))).rejects.toThrow();
    expect((await world.open()).lost).toBe(1);
  });

  test("a file that cannot be opened is tried again with each append", async () => {
    const world = createWorld();
    const { journal } = await world.open();
    world.files.failOpen = true;
    for (const arrival of [1, 2, 3])
      await expect(journal.append(world.at(arrival))).rejects.toMatchObject({ code: "EIO" });
    world.files.failOpen = false;
    await journal.append(world.at(4));
    expect(await world.open()).toMatchObject({ lost: 3, damaged: 0, highestArrival: 4 });
  });

  test("a disk that hangs is waited for once, and what waited is written when it goes on", async () => {
    const world = createWorld();
    const { journal } = await world.open();
    const gate = Promise.withResolvers<undefined>();
    world.files.gate = gate.promise;
    const overdue = { code: "journal-overdue", retry: "backoff" };
    const first = expect(journal.append(world.at(1))).rejects.toMatchObject(overdue);
    const second = expect(journal.append(world.at(2))).rejects.toMatchObject(overdue);
    await world.clock.run(500);
    await Promise.all([first, second]);
    await expect(journal.append(world.at(3))).rejects.toMatchObject(overdue);
    gate.resolve(undefined);
    await settled();
    await journal.append(world.at(4));
    expect(arrivals(await world.open())).toEqual([1, 2, 3, 4]);
  });

  test("is known to the next process while what was answered as overdue still waits behind the write that hung", async () => {
    const world = createWorld();
    const { files } = world;
    const { journal } = await world.open();
    await journal.append(world.at(1));
    const gate = Promise.withResolvers<undefined>();
    files.gate = gate.promise;
    const overdue = { code: "journal-overdue" };
    const second = expect(journal.append(world.at(2))).rejects.toMatchObject(overdue);
    await world.clock.run(500);
    await second;
    await expect(journal.append(world.at(3))).rejects.toMatchObject(overdue);
    gate.resolve(undefined);
    const moments = new Set<string>();
    for (let turn = 0; turn < 100; turn += 1) {
      const lines = segmentsIn(world).flatMap((path) => String(files.contents.get(path)).split("\n").filter(Boolean));
      moments.add(`${lines.length}${files.contents.has("/data/journal/whole") ? ", whole" : ""}`);
      await Promise.resolve();
    }
    expect([...moments]).toEqual(["1", "2", "3", "3, whole"]);
  });

  test("tells how many are missing when it is closed, if nothing could be written since", async () => {
    const world = createWorld();
    const { journal } = await world.open();
    await journal.append(world.at(1));
    world.files.freeBytes = 100;
    await expect(journal.append(world.at(2))).rejects.toMatchObject({ code: "ENOSPC" });
    world.files.freeBytes = Infinity;
    await journal[Symbol.asyncDispose]();
    const opened = await world.open();
    expect(arrivals(opened)).toEqual([1]);
    expect(opened).toMatchObject({ lost: 1 });
  });

  test("a disk that hangs is not waited for without bound", async () => {
    const world = createWorld();
    const { journal } = await world.open({ maxPendingBytes: 1000 });
    world.files.gate = new Promise(() => undefined);
    const appends = [1, 2, 3, 4, 5, 6].map(async (arrival) => journal.append(world.at(arrival)));
    await expect(Promise.race(appends)).rejects.toMatchObject({ code: "journal-overloaded", retry: "backoff" });
  });
});

describe("segments", () => {
  test("rotate by size and by age, and go when all in them is older than the TTL", async () => {
    const world = createWorld();
    const { journal } = await world.open({ segmentMaxBytes: 600 });
    for (const arrival of [1, 2, 3, 4, 5]) await journal.append(world.at(arrival));
    expect(segmentsIn(world)).toHaveLength(3);
    await world.clock.run(130_000);
    await journal.append(world.at(6));
    expect(segmentsIn(world)).toHaveLength(4);
    await world.clock.run(600_000);
    expect(segmentsIn(world)).toEqual(["/data/journal/0000000000000006.log"]);
  });

  test("the oldest goes when all together are too large, and it is told", async () => {
    const world = createWorld();
    const { journal } = await world.open({ maxTotalBytes: 8000 });
    for (let arrival = 1; arrival <= 40; arrival += 1) await journal.append(world.at(arrival));
    const opened = await world.open();
    const found = arrivals(opened);
    expect(found.at(-1)).toBe(40);
    // What was told in a segment that went, too, is not told again.
    expect(opened.lost).toBeGreaterThan(0);
    expect(world.recorder.counted("journal_evicted")).toBe(40 - found.length);
    expect([...world.files.contents.values()].reduce((total, { length }) => total + length, 0)).toBeLessThanOrEqual(
      8000,
    );
  });

  test("files of others are left alone", async () => {
    const world = createWorld();
    world.files.contents.set("/data/journal/README", Buffer.from("mine"));
    await world.clock.run(1_000_000);
    expect(arrivals(await world.open())).toEqual([]);
    expect(world.files.contents.get("/data/journal/README")?.toString()).toBe("mine");
  });
});

test("a directory that cannot be used says so", async () => {
  const world = createWorld();
  world.files.makeDirectory = async () => Promise.reject(Object.assign(new Error("x"), { code: "EACCES" }));
  await expect(world.open()).rejects.toMatchObject({
    code: "journal-open",
    retry: "never",
    message: expect.stringMatching(/EACCES.*--data-dir/) as string,
  });
});
