import fc from "fast-check";
import { expect, test } from "vitest";
import { openBranchActor, type BranchActor } from "../../actors/branch-actor.ts";
import type { CatchUp } from "../../actors/branch-options.ts";
import { covers } from "../../machines/cursor.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Change } from "../../machines/messages.ts";
import { configmaps, cursor, FakeLog, FakeMeter, FakePool, memoryFiles, secrets } from "../fakes/branch-world.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { Files, History, Replay, type Act, type Revision } from "./branch-history.ts";
import { check, suite } from "./check.ts";

type Step =
  | { readonly do: "write"; readonly act: Act; readonly type: 0 | 1; readonly name: string }
  | { readonly do: "show"; readonly type: 0 | 1 }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "works" | "fails" | "hangs" | "replay" | "break" };

const type = fc.constantFrom(0 as const, 1 as const);
const act = fc.constantFrom<Act>(
  "create-or-update",
  "create-or-update",
  "create-or-update",
  "status",
  "terminate-or-delete",
  "expire",
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant("write" as const), act, type, name: fc.constantFrom("a", "b") }),
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("show" as const), type }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(0, 1, 10, 1000, 30_000) }),
  },
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constantFrom("works", "works", "fails", "hangs", "replay", "replay", "break") }),
  },
);

class Run {
  readonly #revision: Revision = { at: 0 };
  readonly histories = [new History(configmaps, this.#revision), new History(secrets, this.#revision)] as const;
  readonly pool = new FakePool();
  readonly meter = new FakeMeter();
  readonly log = new FakeLog();
  readonly #clock = createSimulatedClock();
  readonly #shown = [cursor(0), cursor(0)];
  #stream: { readonly next: () => void; readonly fail: () => void } | null = null;

  async open(): Promise<BranchActor> {
    this.pool.cursors = new Map(this.histories.map((history) => [history.type.key, cursor(0)]));
    return openBranchActor({
      targetId: "t",
      cluster: "c",
      types: this.histories.map((history) => history.type.key),
      pool: this.pool,
      catchUp: this.#catchUp,
      clock: this.#clock,
      random: () => 0.5,
      files: memoryFiles(),
      dataDir: "/data",
      meter: this.meter,
      log: this.log,
      limits: { backlogBytes: 5 * 532, flushChanges: 2, verdictLogEntries: 4 },
    });
  }

  async step(branch: BranchActor, step: Step): Promise<void> {
    switch (step.do) {
      case "write":
        return this.histories[step.type].write(step.act, step.name);
      case "show":
        return this.show(branch, step.type);
      case "wait":
        return this.#clock.run(step.ms);
      case "works":
        this.pool.answer = () => null;
        return this.pool.finish();
      case "fails": {
        const error = new KubescribeError("git-busy", "busy", { retry: "backoff" });
        this.pool.answer = () => error;
        return this.pool.finish(error);
      }
      case "hangs":
        this.pool.answer = null;
        return;
      case "replay":
        return this.#stream?.next();
      case "break":
        return this.#stream?.fail();
      default:
        return step satisfies never;
    }
  }

  show(branch: BranchActor, at: 0 | 1): void {
    const shown = this.#shown[at] ?? cursor(0);
    if (covers(shown, cursor(this.histories[at].end))) return;
    const { at: next, message } = this.histories[at].message(shown);
    this.#shown[at] = next;
    branch.receive(message);
  }

  async finish(branch: BranchActor): Promise<void> {
    await this.step(branch, { do: "works" });
    for (let round = 0; round < 1000; round++) {
      this.show(branch, 0);
      this.show(branch, 1);
      await this.step(branch, { do: "replay" });
      await this.#clock.run(30_000);
      const { queueDepth, supply } = branch.status();
      const shown = this.histories.every(({ end }, at) => covers(this.#shown[at] ?? null, cursor(end)));
      if (shown && queueDepth === 0 && supply === "attached") break;
    }
    expect(branch.status()).toMatchObject({ state: "idle", supply: "attached", queueDepth: 0, queueBytes: 0 });
  }

  readonly #catchUp: CatchUp = async (start, sink, signal) => {
    const history = this.histories.find((one) => one.type.key === start.typeKey);
    if (history === undefined) throw new Error("no such type");
    const replay = new Replay(history, start.from);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve());
    this.#stream = { next: () => sink(replay.next()), fail: () => reject(new Error("connection reset")) };
    return promise;
  };
}

suite("the branch actor", () => {
  test("whatever Git, the watches and time do, every change is committed once, in order, and then the branch is quiet", async () => {
    await check(
      fc.asyncProperty(fc.array(step, { maxLength: 100, size: "max" }), async (steps) => {
        const run = new Run();
        await using branch = await run.open();
        for (const one of steps) await run.step(branch, one);
        await run.finish(branch);
        const lost = run.meter.counts.get("verdicts_lost") ?? 0;
        for (const history of run.histories) {
          const files = new Files(history);
          for (const entry of run.pool.committed) {
            if (entry.kind === "coverage") continue;
            if ((entry.kind === "change" ? entry.change.type : entry.type) === history.type) files.apply(entry);
          }
          files.expectFaithful();
          const identity = ({ resourceVersion, uid }: Change): string => `${uid}@${resourceVersion}`;
          const wanted = history.rows.flatMap(({ change }) => (change === null ? [] : [identity(change)]));
          expect(files.changes.map(identity).filter((one) => wanted.includes(one))).toEqual(wanted);
          expect(files.unresolved).toBeLessThanOrEqual(lost);
          expect(branch.cursorOf(history.type.key)).toEqual(cursor(history.end));
        }
        expect(run.log.lines.filter((line) => line.startsWith("error"))).toEqual([]);
      }),
      { runs: 60 },
    );
  });
});
