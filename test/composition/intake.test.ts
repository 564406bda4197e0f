/** Engines that come and go while reviews go on: what each of them is told. */

import { describe, expect, test } from "vitest";

import type { CorrelationMessage, Engine, Restoring } from "../../actors/engine.ts";
import type { Correlation } from "../../machines/messages.ts";
import { Intake, type Knowledge } from "../../src/composition/intake.ts";
import { createSimulatedClock, settled } from "../../src/simulation/simulated-clock.ts";
import { parseRunOptions } from "../../src/config/run-options.ts";
import { createRecorder } from "../admission/recorder.ts";
import { bytesOf, reviewOf } from "../admission/reviews.ts";
import { createMemoryFiles } from "../journal/memory-files.ts";

/** Notes what it is given. */
class FakeEngine {
  readonly users: string[] = [];
  restoring: Restoring | null = null;

  constructor(intake: Intake) {
    intake.correlation$.subscribe(({ correlation }: CorrelationMessage) => this.users.push(correlation.user));
  }

  restore(correlations: readonly Correlation[], restoring: Restoring): void {
    this.restoring = restoring;
    this.users.push(...correlations.map(({ user }) => user));
  }

  loseSight(): void {}
  regainSight(): void {}
  miss(): void {}
}

class World {
  readonly clock = createSimulatedClock();
  readonly files = createMemoryFiles();
  readonly recorder = createRecorder();

  async open(): Promise<Intake> {
    const options = parseRunOptions(
      ["--config=/rules", "--tls-cert-file=/c", "--tls-key-file=/k", "--data-dir=/data"],
      "/",
    );
    const ports = { files: this.files, clock: this.clock, ...this.recorder };
    const intake = await Intake.open({ options, claimKeys: () => [] }, ports as never);
    intake.onSeeing();
    return intake;
  }

  enter(intake: Intake, engine: FakeEngine): Promise<void> {
    return intake.enter(engine as unknown as Engine);
  }

  review(intake: Intake, username: string): Promise<string> {
    return intake.review(bytesOf(reviewOf({ userInfo: { username } })));
  }
}

describe("an intake", () => {
  test("tells each engine all that was reviewed before it, once, in the order of arrival", async () => {
    const world = new World();
    const intake = await world.open();
    await world.review(intake, "alice");
    const first = new FakeEngine(intake);
    await world.enter(intake, first);
    await world.review(intake, "bob");
    intake.leave();
    await world.review(intake, "carol");
    const second = new FakeEngine(intake);
    await world.enter(intake, second);
    await world.review(intake, "dave");
    expect(first.users.slice(0, 2)).toEqual(["alice", "bob"]);
    expect(second.users).toEqual(["alice", "bob", "carol", "dave"]);
  });

  test("loses nobody whose review is being written down, or comes, while the journal is read", async () => {
    const world = new World();
    const intake = await world.open();
    await world.enter(intake, new FakeEngine(intake));
    intake.leave();
    const engine = new FakeEngine(intake);
    const before = world.review(intake, "alice");
    const entering = world.enter(intake, engine);
    const meanwhile = world.review(intake, "bob");
    await settled();
    await Promise.all([before, entering, meanwhile]);
    await world.review(intake, "carol");
    expect(engine.users).toEqual(["alice", "bob", "carol"]);
  });

  test("hands over what the next replica adopts in front of its own", async () => {
    const world = new World();
    const intake = await world.open();
    await world.review(intake, "alice");
    const knowledge: Knowledge = await intake.tell();
    expect(knowledge.correlations.map(({ user }) => user)).toEqual(["alice"]);
    const other = new World();
    await other.clock.run(5_000);
    const successor = await other.open();
    successor.makeRoom();
    const own = other.review(successor, "bob");
    await successor.adopt(knowledge);
    await own;
    const engine = new FakeEngine(successor);
    await other.enter(successor, engine);
    expect(engine.users).toEqual(["alice", "bob"]);
    // Reviews have reached one of the two since the first began.
    expect(engine.restoring?.sightSinceMs).toBe(0);
  });

  test("tells the next engine, too, that something was missed", async () => {
    const world = new World();
    const intake = await world.open();
    await world.clock.run(1_000);
    intake.miss();
    const engine = new FakeEngine(intake);
    await world.enter(intake, engine);
    expect(engine.restoring).toMatchObject({ sightSinceMs: 1_000 });
    expect(engine.restoring?.doubtedThroughMs).toBeGreaterThan(world.clock.nowMs());
  });
});
