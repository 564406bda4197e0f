/** First contacts with remotes that answer, fail and fall silent as the test says. */

import { expect, test } from "vitest";

import type { Mirrors, RefIds } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { EnginePorts, RemoteSite } from "../../src/composition/engine-ports.ts";
import { Upstreams, type UpstreamsOptions } from "../../src/composition/upstreams.ts";
import { createSimulatedClock, settled } from "../../src/simulation/simulated-clock.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import { targetAt } from "../git/fixtures.ts";

class World {
  readonly clock = createSimulatedClock();
  readonly log = new FakeLog();
  /** Where a fetch is under way, and how it may end. */
  readonly fetching = new Map<string, PromiseWithResolvers<RefIds>>();

  open(...sites: readonly (readonly [url: string, branch: string])[]): Promise<Upstreams> {
    const compiled = sites.map(([url, branch]) => ({
      id: `${url} ${branch}`,
      config: { repository: url, branch, remote: { url, secret: null, pushIntervalSeconds: 1 } },
    }));
    const targets = sites.map(([url, branch]) => targetAt(url, { id: `${url} ${branch}`, branch }));
    const mirrors: Partial<Mirrors> = {
      exists: async () => false,
      adopt: async () => true,
      outgoing: async () => null,
    };
    const options = {
      compiled,
      targets,
      mirrors,
      credentialsDir: null,
      refusesHostOf: () => null,
    } as unknown as UpstreamsOptions;
    const ports: Partial<EnginePorts> = {
      clock: this.clock,
      random: () => 1,
      log: this.log,
      meter: new FakeMeter(),
      signal: new AbortController().signal,
      openRemote: ({ url, refs }: RemoteSite) => ({
        fetch: (_, signal) => this.#fetch(`${url} ${refs[0] ?? ""}`, signal),
        push: () => Promise.reject(new Error("there is nothing to push")),
      }),
    };
    return Upstreams.open(options, ports as EnginePorts);
  }

  /** Of all that are under way. */
  end(error?: Error): void {
    for (const [at, { resolve, reject }] of this.fetching) {
      this.fetching.delete(at);
      if (error === undefined) resolve({});
      else reject(error);
    }
  }

  #fetch(at: string, signal: AbortSignal): Promise<RefIds> {
    const fetched = Promise.withResolvers<RefIds>();
    this.fetching.set(at, fetched);
    signal.addEventListener("abort", () => fetched.reject(signal.reason as Error));
    return fetched.promise;
  }
}

test("branches of one remote are fetched one after the other, those of others beside them", async () => {
  const world = new World();
  const opening = world.open(["one", "a"], ["one", "b"], ["two", "a"]);
  await settled();
  expect([...world.fetching.keys()]).toEqual(["one refs/heads/a", "two refs/heads/a"]);
  world.end();
  await settled();
  expect([...world.fetching.keys()]).toEqual(["one refs/heads/b"]);
  world.end();
  await using upstreams = await opening;
  expect([upstreams.actors.size, upstreams.contacts.size, upstreams.lateness("one a")]).toEqual([3, 0, undefined]);
});

test("a remote that is silent is given ten seconds, and waited for no longer", async () => {
  const world = new World();
  const opening = world.open(["one", "a"], ["two", "a"]);
  await settled();
  world.fetching.get("two refs/heads/a")?.resolve({});
  await world.clock.run(10_000);
  await using upstreams = await opening;
  expect([...upstreams.contacts.keys()]).toEqual(["one a"]);
  expect([...upstreams.actors.keys()]).toEqual(["two a"]);
  world.fetching.get("one refs/heads/a")?.resolve({});
  await upstreams.lateness("one a");
  expect([upstreams.contacts.size, upstreams.actors.size]).toEqual([0, 2]);
});

test("a remote that refuses is not waited for, and tried again", async () => {
  const world = new World();
  const opening = world.open(["one", "a"]);
  await settled();
  world.end(new KubescribeError("remote-unreachable", "nobody answers", { retry: "backoff" }));
  await using upstreams = await opening;
  expect(upstreams.contacts.get("one a")?.trouble).toBe("nobody answers");
  await world.clock.run(800);
  world.end(new Error("no space left"));
  await world.clock.run(1600);
  expect(upstreams.contacts.get("one a")?.trouble).toContain("no space left");
  world.end();
  await upstreams.lateness("one a");
  expect(upstreams.actors.size).toBe(1);
});

test("what no time mends ends the start", async () => {
  const world = new World();
  const opening = world.open(["one", "a"], ["two", "a"]);
  await settled();
  world.fetching.get("one refs/heads/a")?.reject(new KubescribeError("git-denied", "not allowed", { retry: "never" }));
  await expect(opening).rejects.toThrow("not allowed");
});

test("who waits for a remote is told of the end", async () => {
  const world = new World();
  const opening = world.open(["one", "a"]);
  await world.clock.run(10_000);
  const upstreams = await opening;
  const late = upstreams.lateness("one a");
  await upstreams[Symbol.asyncDispose]();
  await expect(late).rejects.toThrow();
  expect(upstreams.actors.size).toBe(0);
});
