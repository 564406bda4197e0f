/** What becomes of messages at which an actor throws: it goes on from its record, and what it had in hand is not lost. */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Uid, WatchEvent } from "../../machines/messages.ts";
import { correlationOf, eventOf } from "../fakes/messages.ts";
import { check, commandsUpTo, suite } from "./check.ts";
import { bounds, RegistryWorld } from "./registry-world.ts";

interface Model {
  version: number;
  arrivals: number;
  faults: number;
  /** Who is reviewed for the next write, once each. */
  waiting: readonly string[];
  /** A review for it was given up: nobody knows who else was there. */
  marked: boolean;
}

type SupervisorCommand = fc.Command<Model, RegistryWorld>;

class Boom extends Error {
  override readonly name = "Boom";
}

/** The machine, not its sender, stumbles over the uid. */
function throwingAt<Message extends object>(message: Message, times: number): Message {
  let left = times;
  const { uid } = message as { readonly uid?: Uid };
  return Object.defineProperty({ ...message }, "uid", {
    enumerable: true,
    get: () => {
      if (left === 0) return uid;
      left -= 1;
      throw new Boom();
    },
  });
}

class Review implements SupervisorCommand {
  readonly #user: string;
  readonly #faults: number;

  constructor(user: string, faults: number) {
    this.#user = user;
    this.#faults = faults;
  }

  check({ version, waiting }: Readonly<Model>): boolean {
    return version > 0 && waiting.length < bounds.pendingPerResource;
  }

  run(model: Model, world: RegistryWorld): void {
    model.arrivals += 1;
    model.faults += this.#faults;
    if (this.#faults < bounds.attempts) model.waiting = [...model.waiting, this.#user];
    else model.marked = true;
    const object = `o${model.version + 1}`;
    const sketch = { arrival: model.arrivals, user: this.#user, base: model.version, object };
    const correlation = correlationOf({ ...sketch, operation: "UPDATE" });
    world.registry.correlate(throwingAt(correlation, this.#faults), world.clock.monotonicMs(), null);
    expectSame(model, world, []);
  }

  toString(): string {
    return `review by ${this.#user} that throws ${this.#faults} times`;
  }
}

class Observe implements SupervisorCommand {
  readonly #faults: number;
  readonly #listed: boolean;

  constructor(faults: number, listed: boolean) {
    this.#faults = faults;
    this.#listed = listed;
  }

  /** Of those at rest the registry itself reads a list. */
  check({ waiting }: Readonly<Model>): boolean {
    return !this.#listed || waiting.length > 0;
  }

  run(model: Model, world: RegistryWorld): void {
    const users = [...new Set(model.waiting)];
    const given = this.#faults === bounds.attempts;
    const tier = given || users.length === 0 ? "unresolved" : users.length === 1 && !model.marked ? "exact" : "tie";
    const kind = model.version === 0 || this.#listed ? "ADDED" : "MODIFIED";
    model.version += 1;
    model.faults += this.#faults;
    model.waiting = [];
    model.marked = false;
    const event = throwingAt(eventOf({ kind, version: model.version, object: `o${model.version}` }), this.#faults);
    if (this.#listed) list(world, event);
    else world.registry.watch({ kind: "observed", event, epoch: 0 });
    const author = tier === "unresolved" ? null : users[0];
    expectSame(model, world, [`${kind} ${model.version} ${tier} ${author ?? "nobody"}${given ? " faulted" : ""}`]);
  }

  toString(): string {
    return `${this.#listed ? "list" : "observe"} what throws ${this.#faults} times`;
  }
}

function list({ registry }: RegistryWorld, event: WatchEvent): void {
  const { type, resourceVersion } = event;
  registry.watch({ kind: "listed", type, epoch: 0, unbroken: false, resourceVersion, items: [event] });
}

const kinds = { CREATE: "ADDED", UPDATE: "MODIFIED", DELETE: "DELETED" } as const;

function expectSame(model: Model, world: RegistryWorld, changes: readonly string[]): void {
  const said = world.said.flatMap((message) => {
    if (message.kind === "progressed") throw new Error("every event here is a change");
    return message.kind === "changed" ? [message.change] : message.kind === "relisted" ? message.changes : [];
  });
  expect(
    said.map(({ operation, resourceVersion, verdict }) => {
      const { tier, author, faulted } = verdict;
      return `${kinds[operation]} ${resourceVersion} ${tier} ${author?.user ?? "nobody"}${faulted ? " faulted" : ""}`;
    }),
  ).toEqual(changes);
  world.said = [];
  expect(world.meter.counts.get("actor_faults Boom") ?? 0).toBe(model.faults);
  expect(world.log.lines.filter((line) => line.startsWith("error"))).toHaveLength(model.faults);
  expect(world.ledger.size).toBe(model.waiting.length);
  expect(world.registry.awakeCount).toBe(model.waiting.length > 0 ? 1 : 0);
}

const faults = fc.constantFrom(0, 0, 0, 1, 2, bounds.attempts);
const user = fc.constantFrom("ann", "bob");
const commands = fc.commands<Model, RegistryWorld>(
  [
    fc.tuple(user, faults).map(([who, times]) => new Review(who, times)),
    fc.tuple(user, faults).map(([who, times]) => new Review(who, times)),
    faults.map((times) => new Observe(times, false)),
    fc.constant(new Observe(bounds.attempts, true)),
  ],
  commandsUpTo(40),
);

suite("the supervisor", () => {
  test("restarts an actor that throws from its record: nothing in hand is lost, each fault is counted and told", () => {
    check(
      fc.property(commands, (script) => {
        const model: Model = { version: 0, arrivals: 0, faults: 0, waiting: [], marked: false };
        fc.modelRun(() => ({ model, real: new RegistryWorld() }), script);
      }),
    );
  });
});
