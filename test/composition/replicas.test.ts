/** Two processes and the Lease between them, joined by a wire that can be cut. Their intakes note what they are given. */

import { describe, expect, test } from "vitest";

import type { LeaseRecord } from "../../machines/lease.ts";
import type { Knowledge } from "../../src/composition/intake.ts";
import { Replicas } from "../../src/composition/replicas.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";

const nothing: Knowledge = { sightSinceMs: 1, doubtedThroughMs: null, correlations: [] };

class World {
  readonly clock = createSimulatedClock();
  readonly cut = new Set<string>();
  readonly replicas = new Map<string, Replica>();
  holder = "";
  /** How long reviews are on their way from one to the other. */
  road: Promise<void> = Promise.resolve();
  /** The same of words. */
  wordRoad: Promise<void> = Promise.resolve();

  add(address: string): Replica {
    const replica = new Replica(this, address);
    this.replicas.set(address, replica);
    return replica;
  }
}

class Replica {
  readonly reviews: string[] = [];
  /** Both in one: reviews, and what was asked of it. */
  readonly told: string[] = [];
  readonly adopted: Knowledge[] = [];
  missed = 0;
  /** Since when, as it was told to the history. */
  readonly missedSince: number[] = [];
  /** What it believes; null: nobody holds it. */
  sees: string | null = null;
  readonly post: Replicas;

  constructor(world: World, address: string) {
    this.post = new Replicas({
      intake: {
        review: (body) => {
          this.reviews.push(Buffer.from(body).toString());
          this.told.push(Buffer.from(body).toString());
          return Promise.resolve(`${address} answers`);
        },
        tell: () => {
          this.told.push("handed over");
          return Promise.resolve(nothing);
        },
        miss: () => void (this.missed += 1),
        adopt: (knowledge) => Promise.resolve(void this.adopted.push(knowledge)),
      },
      lease: {
        get held() {
          return world.holder === address;
        },
        get holderAddress() {
          return world.holder === "" || world.holder === address ? null : world.holder;
        },
      },
      post: async (to, body) => {
        const isCut = world.cut.has(to);
        await (Buffer.from(body).toString().startsWith("{") ? world.wordRoad : world.road);
        const other = world.replicas.get(to);
        if (other === undefined || isCut) throw new Error("ECONNREFUSED");
        return Buffer.from(await other.post.review(body, true));
      },
      address,
      missed: (sinceMs) => void this.missedSince.push(sinceMs),
      clock: world.clock,
      meter: new FakeMeter(),
      log: new FakeLog(),
    });
  }

  review(text: string): Promise<string> {
    return this.post.review(Buffer.from(text), false);
  }
}

function leaseOf(holder: string, address: string): LeaseRecord {
  return { holder, address, durationMs: 15_000, transitions: 1, renewedAt: "", version: "1" };
}

describe("replicas", () => {
  test("hand a review on to the holder, and its answer back", async () => {
    const world = new World();
    const [a, b] = [world.add("a"), world.add("b")];
    world.holder = "a";
    expect(await b.review("1")).toBe("a answers");
    expect([a.reviews, b.reviews]).toEqual([["1"], []]);
  });

  test("keep what cannot be handed on, and tell the holder before the next one that it misses something", async () => {
    const world = new World();
    const [a, b] = [world.add("a"), world.add("b")];
    world.holder = "a";
    world.cut.add("a");
    const beganMs = world.clock.nowMs();
    expect(await b.review("1")).toBe("b answers");
    world.clock.advance(3000);
    world.cut.delete("a");
    expect(await b.review("2")).toBe("a answers");
    expect(await b.review("3")).toBe("a answers");
    expect([a.reviews, b.reviews, a.missed, b.missed]).toEqual([["2", "3"], ["1"], 1, 0]);
    expect([a.missedSince, b.missedSince]).toEqual([[beganMs], []]);
  });

  test("tell again where more was kept while the word was on its way", async () => {
    const world = new World();
    const [a, b] = [world.add("a"), world.add("b")];
    world.holder = "a";
    world.cut.add("a");
    await b.review("1");
    world.cut.delete("a");
    const heard = Promise.withResolvers<void>();
    world.wordRoad = heard.promise;
    const second = b.review("2");
    world.cut.add("a");
    // Not held up by the word: it is a word itself that cannot be sent.
    world.wordRoad = Promise.resolve();
    await b.review("3");
    world.cut.delete("a");
    heard.resolve();
    await second;
    await b.review("4");
    expect([a.missed, b.reviews]).toEqual([2, ["1", "3"]]);
  });

  test("tell of what they kept themselves when they take over", async () => {
    const world = new World();
    const [, b] = [world.add("a"), world.add("b")];
    world.holder = "a";
    world.cut.add("a");
    const beganMs = world.clock.nowMs();
    await b.review("1");
    world.cut.delete("a");
    world.holder = "b";
    world.clock.advance(3000);
    expect(await b.post.takeOver(leaseOf("", "a"), "b")).toBe(true);
    expect(await b.post.takeOver(leaseOf("", "a"), "b")).toBe(true);
    expect([b.missedSince, b.missed]).toEqual([[beganMs], 0]);
  });

  test("take over all that is known, and get every review from then on", async () => {
    const world = new World();
    const [a, b] = [world.add("a"), world.add("b")];
    world.holder = "b";
    expect(await b.post.takeOver(leaseOf("", "a"), "b")).toBe(true);
    expect([b.adopted, b.missed]).toEqual([[expect.objectContaining(nothing)], 0]);
    // Though it does not look at the Lease any more.
    world.holder = "";
    expect(await a.review("1")).toBe("b answers");
  });

  test("are told by one that holds the Lease itself that it hands nothing over", async () => {
    const world = new World();
    const [, b] = [world.add("a"), world.add("b")];
    world.holder = "a";
    expect(await world.clock.until(b.post.takeOver(leaseOf("", "a"), "b"))).toBe(false);
    expect([b.adopted, b.missed]).toEqual([[], 1]);
  });

  test("say that something may be missing where the last holder is gone", async () => {
    const world = new World();
    const b = world.add("b");
    world.holder = "b";
    expect(await world.clock.until(b.post.takeOver(leaseOf("a", "a"), "b"))).toBe(false);
    expect(b.missed).toBe(1);
  });

  test.each([
    ["the first one ever", leaseOf("", "")],
    ["the same process again", leaseOf("b", "elsewhere")],
    ["the same address again", leaseOf("", "b")],
  ])("ask nobody: %s", async (_who, before) => {
    const world = new World();
    const b = world.add("b");
    expect(await b.post.takeOver(before, "b")).toBe(true);
    expect([b.adopted, b.missed]).toEqual([[], 0]);
  });

  test("ask for what is known only once what they have handed on has arrived", async () => {
    const world = new World();
    const [a, b] = [world.add("a"), world.add("b")];
    world.holder = "a";
    const { promise, resolve } = Promise.withResolvers<void>();
    world.road = promise;
    const handed = b.review("1");
    world.holder = "b";
    const taking = b.post.takeOver(leaseOf("", "a"), "b");
    setImmediate(resolve);
    await taking;
    expect(a.told).toEqual(["1", "handed over"]);
    await handed;
  });

  test("hand on what another one hands on to them, once they have handed over", async () => {
    const world = new World();
    const [a, b] = [world.add("a"), world.add("b")];
    world.holder = "b";
    await b.post.takeOver(leaseOf("", "a"), "b");
    await a.post.review(Buffer.from("1"), true);
    expect([a.reviews, b.reviews]).toEqual([[], ["1"]]);
  });

  test("hand nothing on twice, whatever they believe", async () => {
    const world = new World();
    const [a, b] = [world.add("a"), world.add("b")];
    world.holder = "c";
    expect(await a.post.review(Buffer.from("1"), true)).toBe("a answers");
    expect([a.reviews, b.reviews]).toEqual([["1"], []]);
  });

  test("take a body that only begins like a word of theirs for a review", async () => {
    const world = new World();
    const a = world.add("a");
    world.holder = "a";
    await a.review('{"kubescribe":"planted"}');
    await a.review(`{"kubescribe":${"x".repeat(2000)}`);
    expect(a.reviews).toHaveLength(2);
  });
});
