/** The registry, which lets actors rest and wakes them, beside one that never does. */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { BranchMessage, Operation, ResourceVersion, WatchEvent } from "../../machines/messages.ts";
import { configMaps, correlationOf, eventOf } from "../fakes/messages.ts";
import { check, commandsUpTo, suite } from "./check.ts";
import { RegistryWorld, RestlessModel } from "./registry-world.ts";

type RegistryCommand = fc.Command<RestlessModel, RegistryWorld>;

/** What each command compares in the end. */
function expectSaid(model: RestlessModel, world: RegistryWorld, said: readonly BranchMessage[]): void {
  expect(world.said.map(ordered)).toEqual(said.map(ordered));
  world.said = [];
  model.expectSame(world);
}

/** What a list does not show is gone, of whichever resource that is said first. */
function ordered(message: BranchMessage): BranchMessage {
  if (message.kind !== "relisted") return message;
  const changes = message.changes.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return { ...message, changes };
}

interface ReviewParts {
  readonly name: string;
  readonly user: string;
  readonly operation: Operation;
  /** How far behind the resource's version. */
  readonly behind: number;
  readonly object: string;
  readonly changes: boolean;
}

class Review implements RegistryCommand {
  readonly #parts: ReviewParts;

  constructor(parts: ReviewParts) {
    this.#parts = parts;
  }

  check(model: Readonly<RestlessModel>): boolean {
    return this.#parts.operation === "CREATE" || model.live.has(this.#parts.name);
  }

  run(model: RestlessModel, world: RegistryWorld): void {
    const { name, user, operation, behind, object, changes } = this.#parts;
    const live = model.live.get(name);
    model.arrivals += 1;
    const isCreation = operation === "CREATE";
    const correlation = correlationOf({
      arrival: model.arrivals,
      name,
      user,
      operation,
      object,
      uid: isCreation ? `${name}-${model.version + 1}` : (live?.uid ?? ""),
      ...(isCreation
        ? {}
        : {
            base: (live?.version ?? 0) - behind,
            oldObject: changes ? "older" : object,
          }),
    });
    const nowMs = world.clock.monotonicMs();
    world.registry.correlate(correlation, nowMs, null);
    expectSaid(model, world, model.correlate(correlation, nowMs));
  }

  toString(): string {
    const { name, user, operation, behind, object, changes } = this.#parts;
    return `review ${operation} ${name} by ${user}, ${behind} behind, ${changes ? object : "no change"}`;
  }
}

interface WriteParts {
  readonly name: string;
  readonly act: "put" | "status" | "terminate" | "remove";
  /** Unless it is what somebody asked for. */
  readonly object: string;
  readonly asked: boolean;
}

class Observe implements RegistryCommand {
  readonly #parts: WriteParts;

  constructor(parts: WriteParts) {
    this.#parts = parts;
  }

  check(model: Readonly<RestlessModel>): boolean {
    return this.#parts.act === "put" || model.live.has(this.#parts.name);
  }

  run(model: RestlessModel, world: RegistryWorld): void {
    const { name, act, asked } = this.#parts;
    const object = (asked ? model.wantedOf(name) : undefined) ?? this.#parts.object;
    const before = model.live.get(name);
    model.version += 1;
    const { version } = model;
    const uid = before?.uid ?? `${name}-${version}`;
    const terminating = act === "terminate" || before?.terminating === true;
    const rest = act === "put" ? object : (before?.rest ?? object);
    const shown = act === "status" ? `${rest} ready ${version}` : rest;
    const kind = act === "remove" ? "DELETED" : before === undefined ? "ADDED" : "MODIFIED";
    if (act === "remove") model.live.delete(name);
    else model.live.set(name, { uid, version, terminating, object: shown, rest });
    const event = eventOf({ kind, version, uid, name, terminating, rest, object: shown });
    const message = { kind: "observed", event, epoch: 0 } as const;
    world.registry.watch(message);
    expectSaid(model, world, model.watch(message, world.clock.monotonicMs()));
  }

  toString(): string {
    const { name, act, object, asked } = this.#parts;
    return `observe ${act} ${name} ${asked ? `as asked, or ${object}` : object}`;
  }
}

/** A list behind a gap: some of what it shows is news, and what it does not show is gone. */
class List implements RegistryCommand {
  readonly #missed: readonly WriteParts[];
  readonly #unbroken: boolean;

  constructor(missed: readonly WriteParts[], unbroken: boolean) {
    this.#missed = missed;
    this.#unbroken = unbroken;
  }

  /** The exact state at the cursor is where a process begins. */
  check(model: Readonly<RestlessModel>): boolean {
    return !this.#unbroken || model.version === 10;
  }

  run(model: RestlessModel, world: RegistryWorld): void {
    for (const { name, act, object } of this.#missed) {
      const before = model.live.get(name);
      model.version += 1;
      const { version } = model;
      if (act === "remove") model.live.delete(name);
      else
        model.live.set(name, {
          uid: before?.uid ?? `${name}-${version}`,
          version,
          object,
          rest: object,
          terminating: before?.terminating ?? act === "terminate",
        });
    }
    const items = [...model.live].map(([name, live]): WatchEvent => eventOf({ kind: "ADDED", name, ...live }));
    const resourceVersion = String(model.version) as ResourceVersion;
    const message = {
      ...({
        kind: "listed",
        type: configMaps,
        epoch: 0,
        unbroken: this.#unbroken,
      } as const),
      resourceVersion,
      items,
    };
    world.registry.watch(message);
    expectSaid(model, world, model.watch(message, world.clock.monotonicMs()));
  }

  toString(): string {
    return `list${this.#unbroken ? " unbroken" : ""} after ${this.#missed.map(({ act, name }) => `${act} ${name}`).join(", ")}`;
  }
}

class Bookmark implements RegistryCommand {
  check(): boolean {
    return true;
  }

  run(model: RestlessModel, world: RegistryWorld): void {
    const resourceVersion = String(model.version) as ResourceVersion;
    const message = { kind: "bookmarked", type: configMaps, resourceVersion, epoch: 0 } as const;
    world.registry.watch(message);
    expectSaid(model, world, model.watch(message, world.clock.monotonicMs()));
  }

  toString(): string {
    return "bookmark";
  }
}

class Pass implements RegistryCommand {
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  check(): boolean {
    return true;
  }

  run(model: RestlessModel, world: RegistryWorld): void {
    world.clock.advance(this.#ms);
    world.registry.enforceBounds();
    model.enforceBounds(world.clock.monotonicMs());
    expectSaid(model, world, []);
  }

  toString(): string {
    return `pass ${this.#ms} ms`;
  }
}

const name = fc.constantFrom("a", "b");
const object = fc.constantFrom("o1", "o1", "o1", "o1", "o1", "o1", "o2", "o1~");
const review = fc.record({
  name,
  object,
  user: fc.constantFrom("ann", "bob"),
  behind: fc.constantFrom(0, 0, 0, 0, 0, 1),
  operation: fc.constantFrom<Operation>("UPDATE", "UPDATE", "UPDATE", "DELETE", "CREATE"),
  changes: fc.constantFrom(true, true, true, false),
});
const written = fc.record({
  name,
  object: fc.constantFrom("o0", "o1", "o2"),
  act: fc.constantFrom(...(["put", "put", "put", "put", "put", "status", "terminate", "remove"] as const)),
  asked: fc.constantFrom(true, true, true, false),
});
const commands = fc.commands<RestlessModel, RegistryWorld>(
  [
    ...Array.from({ length: 5 }, () => review.map((parts) => new Review(parts))),
    ...Array.from({ length: 3 }, () => written.map((parts) => new Observe(parts))),
    // Evidence on a tie: what is there already is asked for again.
    ...Array.from({ length: 3 }, () =>
      review.map((parts) => new Review({ ...parts, operation: "UPDATE", behind: 0, changes: false })),
    ),
    fc.array(written, { maxLength: 3 }).map((missed) => new List(missed, false)),
    fc.array(written, { maxLength: 3 }).map((missed) => new List(missed, true)),
    fc.constant(new Bookmark()),
    fc.constantFrom(1, 9_000, 40_000).map((ms) => new Pass(ms)),
  ],
  commandsUpTo(60),
);

suite("the registry", () => {
  test("says the same as actors that never rest, and keeps awake only whom somebody waits for", () => {
    check(
      fc.property(commands, (script) => {
        fc.modelRun(() => ({ model: new RestlessModel(), real: new RegistryWorld() }), script);
      }),
      { runs: 400 },
    );
  });
});
