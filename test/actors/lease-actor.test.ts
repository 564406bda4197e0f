/** Replicas that compete for one Lease: a store in memory that is cut off, slow, and written by others as the test says. */

import { describe, expect, test } from "vitest";

import { LeaseActor, type LeaseStore } from "../../actors/lease-actor.ts";
import type { LeaseRecord } from "../../machines/lease.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { FakeLog } from "../fakes/branch-world.ts";

class Cluster {
  readonly clock = createSimulatedClock();
  record: LeaseRecord = { holder: "", address: "", durationMs: 0, transitions: 0, renewedAt: "", version: "1" };
  /** Who is cut off from the API server. */
  readonly cut = new Set<string>();

  /** What one process was told, in order. */
  start(identity: string): { readonly actor: LeaseActor; readonly told: string[] } {
    const told: string[] = [];
    const store: LeaseStore = {
      read: async () => this.#reached(identity),
      write: async (record) => {
        await this.#reached(identity);
        if (this.record.version !== record.version) return null;
        this.record = { ...record, version: String(Number(record.version) + 1) };
        return this.record;
      },
    };
    const actor = new LeaseActor({
      store,
      clock: this.clock,
      log: new FakeLog(),
      identity,
      address: `${identity}:8443`,
      won: ({ holder, address }) => void told.push(`won after ${holder === "" ? "nobody" : holder} at ${address}`),
      lost: () => void told.push("lost"),
    });
    return { actor, told };
  }

  async #reached(identity: string): Promise<LeaseRecord> {
    await Promise.resolve();
    if (this.cut.has(identity)) throw new Error("no route");
    return this.record;
  }
}

describe("a Lease", () => {
  test("is won by one, and kept for as long as it renews it", async () => {
    const cluster = new Cluster();
    const [a, b] = [cluster.start("a"), cluster.start("b")];
    await cluster.clock.run(120_000);
    expect([a.told, b.told]).toEqual([["won after nobody at "], []]);
    expect([a.actor.held, b.actor.held]).toEqual([true, false]);
    expect([a.actor.holderAddress, b.actor.holderAddress]).toEqual([null, "a:8443"]);
    await a.actor.release();
    await b.actor.release();
  });

  test("that is given away is taken at the next look, and says where its last holder was", async () => {
    const cluster = new Cluster();
    const [a, b] = [cluster.start("a"), cluster.start("b")];
    await cluster.clock.run(10_000);
    await cluster.clock.until(a.actor.release());
    expect(a.told).toEqual(["won after nobody at "]);
    await cluster.clock.run(2_000);
    expect(b.told).toEqual(["won after nobody at a:8443"]);
    await cluster.clock.until(b.actor.release());
    expect(cluster.record).toMatchObject({ holder: "", address: "b:8443", transitions: 2 });
  });

  test("is given up by a holder that cannot renew it before anybody else takes it", async () => {
    const cluster = new Cluster();
    const [a, b] = [cluster.start("a"), cluster.start("b")];
    await cluster.clock.run(10_000);
    cluster.cut.add("a");
    for (let waitedMs = 0; waitedMs < 40_000; waitedMs += 100) {
      await cluster.clock.run(100);
      expect([a.actor.held, b.actor.held]).not.toEqual([true, true]);
      if (b.told.length > 0) expect(a.told).toContain("lost");
    }
    expect(a.told).toEqual(["won after nobody at ", "lost"]);
    expect(b.told).toEqual(["won after a at a:8443"]);
    cluster.cut.delete("a");
    await cluster.clock.run(60_000);
    expect([a.actor.held, b.actor.held]).toEqual([false, true]);
    await cluster.clock.until(b.actor.release());
    await cluster.clock.run(2_000);
    expect(a.told.at(-1)).toBe("won after nobody at b:8443");
    await cluster.clock.until(a.actor.release());
  });

  test("is the same process's again when it comes back in time", async () => {
    const cluster = new Cluster();
    cluster.record = { ...cluster.record, holder: "a", address: "a:8443", durationMs: 15_000, renewedAt: "x" };
    const a = cluster.start("a");
    await cluster.clock.run(100);
    expect(a.told).toEqual(["won after a at a:8443"]);
    await cluster.clock.until(a.actor.release());
  });

  test("is lost to somebody who took it by force", async () => {
    const cluster = new Cluster();
    const a = cluster.start("a");
    await cluster.clock.run(10_000);
    cluster.record = { ...cluster.record, holder: "operator", address: "", renewedAt: "by hand", version: "99" };
    await cluster.clock.run(4_000);
    expect(a.told).toEqual(["won after nobody at ", "lost"]);
    await cluster.clock.until(a.actor.release());
    expect(cluster.record.holder).toBe("operator");
  });
});
