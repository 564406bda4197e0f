/** What one branch brings to Git and when, and how far it says it has come, beside a plain list of what it was told. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { openBranchActor, type BranchActor } from "../../actors/branch-actor.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { BranchMessage, ResourceType, TypeKey } from "../../machines/messages.ts";
import { sizeOf } from "../../machines/branch-book.ts";
import {
  changed,
  configmaps,
  cursor,
  FakeCatchUp,
  FakeLog,
  FakeMeter,
  FakePool,
  memoryFiles,
  progressed,
  secrets,
} from "../fakes/branch-world.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { check, commandsUpTo, suite } from "./check.ts";

const limits = { batchWindowMs: 10, flushChanges: 3, flushBytes: 4000, backlogBytes: 1_000_000 };
const types = [configmaps, secrets];

interface Model {
  version: number;
  /** All that was told, in order: a change has a size, progress has none. */
  readonly told: { readonly typeKey: TypeKey; readonly version: number; readonly sizeBytes: number | null }[];
  /** Changes that are in Git. */
  durable: number;
  /** Flushes that were asked for, and of the last one whether it is under way. */
  requests: number;
}

class World {
  readonly pool = new FakePool();
  readonly clock = createSimulatedClock();
  readonly log = new FakeLog();
  branch: BranchActor | null = null;

  async open(): Promise<void> {
    this.pool.answer = null;
    for (const { key } of types) this.pool.cursors.set(key, cursor(0));
    this.branch = await openBranchActor({
      targetId: "t",
      cluster: "c",
      types: types.map(({ key }) => key),
      pool: this.pool,
      catchUp: new FakeCatchUp().run,
      clock: this.clock,
      random: () => 0.5,
      files: memoryFiles(),
      dataDir: "/data",
      meter: new FakeMeter(),
      log: this.log,
      limits,
    });
  }

  tell(message: BranchMessage): void {
    this.branch?.receive(message);
  }
}

type BranchCommand = fc.AsyncCommand<Model, World, true>;

/** Changes that are told and not in Git, in order. */
function waitingOf({ told, durable }: Model) {
  return told.filter(({ sizeBytes }) => sizeBytes !== null).slice(durable);
}

/** The longest prefix within the bounds, one change at least. */
function batchOf(model: Model): readonly Model["told"][number][] {
  let bytes = 0;
  const waiting = waitingOf(model).slice(0, limits.flushChanges);
  const end = waiting.findIndex(({ sizeBytes }) => (bytes += sizeBytes ?? 0) > limits.flushBytes);
  return waiting.slice(0, end === -1 ? waiting.length : Math.max(1, end));
}

/** Where a type stands once so many changes are in Git: behind the last thing told of it before the next change of its own. */
function cursorAfter({ told }: Model, typeKey: TypeKey, durable: number): number {
  let changes = 0;
  let at = 0;
  let open = true;
  for (const one of told) {
    if (one.sizeBytes !== null) changes += 1;
    if (one.typeKey !== typeKey) continue;
    if (one.sizeBytes !== null && changes > durable) open = false;
    if (open) at = one.version;
  }
  return at;
}

async function expectSame(model: Model, world: World): Promise<void> {
  const { branch, pool } = world;
  for (const { key } of types) expect(branch?.cursorOf(key)).toEqual(cursor(cursorAfter(model, key, model.durable)));
  expect(branch?.status().queueDepth).toBe(waitingOf(model).length);
  expect(world.log.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  if (pool.requests.length === model.requests) return;
  // A new flush: everything that may go with it goes, in order, and nothing else.
  expect(pool.requests.length).toBe(model.requests + 1);
  model.requests += 1;
  const request = pool.requests.at(-1);
  const versions = request?.entries.map((entry) => (entry.kind === "change" ? entry.change.resourceVersion : "?"));
  const batch = batchOf(model);
  const flying = batch.slice(0, versions?.length);
  expect(versions).toEqual(flying.map(({ version }) => String(version)));
  expect(versions?.length).toBeGreaterThan(0);
}

class Tell implements BranchCommand {
  readonly #type: ResourceType;
  readonly #sizeBytes: number | null;

  constructor(type: ResourceType, sizeBytes: number | null) {
    this.#type = type;
    this.#sizeBytes = sizeBytes;
  }

  async check(): Promise<boolean> {
    return true;
  }

  async run(model: Model, world: World): Promise<void> {
    model.version += 1;
    const { version } = model;
    const size = this.#sizeBytes;
    const message =
      size === null ? progressed(version, this.#type) : changed({ type: this.#type, version, sizeBytes: size });
    const sizeBytes = message.kind === "changed" ? sizeOf({ kind: "change", change: message.change }) : null;
    model.told.push({ typeKey: this.#type.key, version, sizeBytes });
    world.tell(message);
    await expectSame(model, world);
  }

  toString(): string {
    return `${this.#sizeBytes === null ? "progress" : `change of ${this.#sizeBytes} bytes`} in ${this.#type.resource}`;
  }
}

/** What was told already comes again: a watch that was cut. */
class TellAgain implements BranchCommand {
  async check({ version }: Readonly<Model>): Promise<boolean> {
    return version > 0;
  }

  async run(model: Model, world: World): Promise<void> {
    for (const type of types) {
      const told = model.told.findLast(({ typeKey }) => typeKey === type.key);
      if (told !== undefined) world.tell(changed({ type, version: told.version }));
    }
    await expectSame(model, world);
  }

  toString(): string {
    return "tell again";
  }
}

class Wait implements BranchCommand {
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  async check(): Promise<boolean> {
    return true;
  }

  async run(model: Model, world: World): Promise<void> {
    await world.clock.run(this.#ms);
    await expectSame(model, world);
    // A change waits for others no longer than the window, unless a flush is under way or has failed.
    const { state } = world.branch?.status() ?? {};
    if (this.#ms >= limits.batchWindowMs && state !== "backingOff")
      expect(world.pool.waiting).toBe(waitingOf(model).length > 0);
  }

  toString(): string {
    return `wait ${this.#ms} ms`;
  }
}

class Finish implements BranchCommand {
  readonly #fails: boolean;

  constructor(fails: boolean) {
    this.#fails = fails;
  }

  async check(): Promise<boolean> {
    return true;
  }

  async run(model: Model, world: World): Promise<void> {
    const { pool } = world;
    if (!pool.waiting) return;
    const request = pool.requests.at(-1);
    const entries = request?.entries ?? [];
    if (!this.#fails) {
      model.durable += entries.length;
      const versions = [...(request?.cursors ?? [])].map(
        ([key, { resourceVersion }]) => [key, Number(resourceVersion)] as const,
      );
      // What moves with the commits is never ahead of them.
      for (const [key, at] of versions) expect(at).toBeLessThanOrEqual(cursorAfter(model, key, model.durable));
    }
    pool.finish(this.#fails ? new KubescribeError("git-busy", "busy", { retry: "backoff" }) : null);
    await world.clock.run(0);
    if (!this.#fails) return expectSame(model, world);
    // The same entries again, whatever came meanwhile.
    await world.clock.run(30_000);
    expect(pool.requests.at(-1)?.entries).toEqual(entries);
    model.requests = pool.requests.length;
    await expectSame(model, world);
  }

  toString(): string {
    return this.#fails ? "the flush fails" : "the flush is done";
  }
}

const type = fc.constantFrom(...types);
const commands = fc.commands<Model, World, true>(
  [
    fc.tuple(type, fc.constantFrom(10, 10, 10, 1500, 6000)).map(([of, size]) => new Tell(of, size)),
    fc.tuple(type, fc.constantFrom(10, 10, 10, 1500, 6000)).map(([of, size]) => new Tell(of, size)),
    type.map((of) => new Tell(of, null)),
    fc.constant(new TellAgain()),
    fc.constantFrom(0, 1, 10).map((ms) => new Wait(ms)),
    fc.boolean().map((fails) => new Finish(fails)),
    fc.constant(new Finish(false)),
  ],
  commandsUpTo(60),
);

suite("the branch", () => {
  test("flushes prefixes within its bounds, the same ones until they are durable, and shows no cursor ahead of Git", async () => {
    await check(
      fc.asyncProperty(commands, async (script) => {
        const world = new World();
        await world.open();
        const model: Model = { version: 0, told: [], durable: 0, requests: 0 };
        await fc.asyncModelRun(() => ({ model, real: world }), script);
        world.pool.answer = () => null;
        world.pool.finish();
        await world.branch?.[Symbol.asyncDispose]();
      }),
    );
  });
});
