import { expect, test } from "vitest";
import { acquireProcessLock, type ProcessIdentity, type ProcessTable } from "../../src/composition/process-lock.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";

const running = new Map<number, string>();
const me: ProcessIdentity = { host: "here", bootId: "boot-1", pid: 1, startTime: "100" };

const world = () => {
  const clock = createSimulatedClock();
  const fs = new MemoryFileSystem(clock);
  running.clear();
  const lockAs = (identity: Partial<ProcessIdentity>) => {
    const self = { ...me, ...identity };
    if (self.host === me.host) running.set(self.pid, self.startTime);
    const processes: ProcessTable = { self, startTimeOf: async (pid) => running.get(pid) ?? null };
    return acquireProcessLock({ fs, clock, processes, path: "/data/lock", what: "the data directory /data" });
  };
  return { clock, fs, lockAs };
};

test("one holder at a time, and the next once it is released", async () => {
  const { lockAs, fs } = world();
  const held = await lockAs({});
  await expect(lockAs({ pid: 2, startTime: "200" })).rejects.toMatchObject({
    code: "locked",
    retry: "never",
    message: expect.stringContaining('process 1 on "here"') as string,
  });
  await held[Symbol.asyncDispose]();
  await using next = await lockAs({ pid: 2, startTime: "200" });
  expect(next).toBeDefined();
  expect(await fs.list("/data")).toEqual(["lock"]);
});

test.each([
  ["its process is gone", {}, () => running.delete(1)],
  ["its pid was given to another process", {}, () => running.set(1, "101")],
  ["the host was restarted", { bootId: "boot-0" }, () => {}],
])("a lock is taken over when %s", async (_when, holder, happen) => {
  const { lockAs } = world();
  await lockAs(holder);
  happen();
  await expect(lockAs({ pid: 2, startTime: "200" })).resolves.toBeDefined();
});

test("a lock of another host holds while it is touched, and for a minute after", async () => {
  const { lockAs, clock } = world();
  const held = await lockAs({ host: "there" });
  await clock.run(200_000);
  await expect(lockAs({ pid: 2 })).rejects.toMatchObject({ code: "locked" });
  await held[Symbol.asyncDispose]();
  await expect(lockAs({ pid: 2 })).resolves.toBeDefined();
});

test("a lock of another host that died is free after a minute", async () => {
  const { lockAs, clock, fs } = world();
  await lockAs({ host: "there" });
  fs.inject({ at: (_call, name, path) => (name === "rename" && path.includes(".beat.") ? "EIO" : null) });
  await clock.run(50_000);
  await expect(lockAs({ pid: 2 })).rejects.toMatchObject({ code: "locked" });
  await clock.run(11_000);
  await expect(lockAs({ pid: 2 })).resolves.toBeDefined();
});

test("a lock that a crash left empty is taken over", async () => {
  const { lockAs, clock, fs } = world();
  await fs.makeDirectory("/data");
  await (await fs.open("/data/lock", "create"))[Symbol.asyncDispose]();
  await expect(lockAs({})).rejects.toMatchObject({ code: "locked" });
  clock.advance(1500);
  await expect(lockAs({})).resolves.toBeDefined();
});

test("a full disk is said, and leaves nothing that the next start would wait for", async () => {
  const { lockAs, fs } = world();
  fs.inject({ at: (_call, name) => (name === "write" ? "ENOSPC" : null) });
  await expect(lockAs({})).rejects.toMatchObject({
    code: "lock-unwritable",
    message: expect.stringContaining("ENOSPC") as string,
  });
  fs.inject({});
  await expect(lockAs({ pid: 2, startTime: "200" })).resolves.toBeDefined();
});

test("a lock without a name, of a clock that has gone back since, is taken over", async () => {
  const { lockAs, fs, clock } = world();
  await fs.makeDirectory("/data");
  await fs.open("/data/lock", "create-new");
  clock.jump(-3_600_000);
  await expect(lockAs({})).resolves.toBeDefined();
});
