import fc from "fast-check";
import { expect, test } from "vitest";
import { BranchLedger } from "../../machines/branch-ledger.ts";
import { type Change, compareCursors, type Cursor, type TypeKey } from "../../machines/messages.ts";
import { blind, configmaps, cursor, secrets } from "../fakes/branch-world.ts";
import { covers, cursorAt, joined } from "../../machines/cursor.ts";
import { beginningOf, Files, History, Replay, type Act, type Revision } from "./branch-history.ts";
import { check, suite } from "./check.ts";

/** One step of an interleaving. Steps that make no sense where they stand do nothing. */
type Step =
  | { readonly do: "write"; readonly act: Act; readonly type: 0 | 1; readonly name: string }
  | { readonly do: "show"; readonly type: 0 | 1 }
  | { readonly do: "take" | "settle" | "fail" | "start" | "replay" | "break" | "blind" }
  | { readonly do: "crash"; readonly copied: boolean; readonly remembered: boolean; readonly late?: Late }
  | { readonly do: "open" }
  | { readonly do: "compact" | "relist"; readonly type: 0 | 1 };

/** The branch cannot be opened yet, and the shared watch begins without it: with a list, or where others are. */
type Late = "list" | "others";

const type = fc.constantFrom(0 as const, 1 as const);
const name = fc.constantFrom("a", "b", "c");
const act = fc.constantFrom<Act>(
  "create-or-update",
  "create-or-update",
  "create-or-update",
  "status",
  "terminate-or-delete",
  "expire",
);
const ordinary: fc.WeightedArbitrary<Step>[] = [
  { weight: 12, arbitrary: fc.record({ do: fc.constant("write" as const), act, type, name }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("show" as const), type }) },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constantFrom("take", "take", "settle", "settle", "fail", "start", "replay", "replay", "break", "blind"),
    }),
  },
];
const crashes: fc.WeightedArbitrary<Step> = {
  weight: 1,
  arbitrary: fc.record({ do: fc.constant("crash" as const), copied: fc.boolean(), remembered: fc.boolean() }),
};
const lateness: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("crash" as const),
      copied: fc.boolean(),
      remembered: fc.boolean(),
      late: fc.constantFrom<Late>("list", "others"),
    }),
  },
  { weight: 3, arbitrary: fc.constant<Step>({ do: "open" }) },
];
const gaps: fc.WeightedArbitrary<Step> = {
  weight: 2,
  arbitrary: fc.record({ do: fc.constantFrom("compact" as const, "relist" as const), type }),
};

interface World {
  readonly backlogEntries: number;
  readonly verdictLogEntries: number;
  readonly firstContact: boolean;
}

const worlds = fc.record({
  backlogEntries: fc.integer({ min: 1, max: 12 }),
  verdictLogEntries: fc.constantFrom(1, 3, 1000),
  firstContact: fc.boolean(),
});

class Run {
  readonly #revision: Revision = { at: 0 };
  readonly histories = [new History(configmaps, this.#revision), new History(secrets, this.#revision)] as const;
  readonly files = new Map<TypeKey, Files>();
  readonly #world: World;
  ledger: BranchLedger;
  verdictsLost = 0;
  /** Changes that a shared watch began above, while the branch was behind them. */
  unheard = 0;
  /** The same of events that commit nothing: they are replayed with their plain meaning, too. */
  unheardQuiet = 0;
  /** Blind times of this life, and those of them that were settled. */
  #blind: number[] = [];
  #told: number[] = [];
  #late: Late | null = null;
  /** What the state ref says. */
  #stateRef: ReadonlyMap<TypeKey, Cursor> = new Map();
  #flight: ReturnType<BranchLedger["take"]> | null = null;
  #replay: Replay | null = null;
  #shown = new Map<TypeKey, Cursor>();
  /** How far the actors' records on disk reach: beyond the cursors, where the process ended before a flush. */
  #remembered = new Map<TypeKey, Cursor>();

  constructor(world: World) {
    this.#world = world;
    for (const history of this.histories) this.files.set(history.type.key, new Files(history));
    if (!world.firstContact) this.#stateRef = new Map(this.histories.map((history) => [history.type.key, cursor(0)]));
    this.ledger = this.#open(null);
  }

  step(step: Step): void {
    switch (step.do) {
      case "write":
        return this.histories[step.type].write(step.act, step.name);
      case "show":
        return this.#show(this.histories[step.type]);
      case "take":
        if (this.#flight === null && this.ledger.queue.depth > 0) this.#flight = this.ledger.take();
        return;
      case "settle":
        return this.#settle();
      case "fail":
        if (this.#flight !== null)
          expect(this.ledger.take().entries.map(({ item }) => item)).toHaveLength(this.#flight.entries.length);
        return;
      case "start":
        return this.#start();
      case "replay":
        return this.#replayNext();
      case "break":
        if (this.#replay !== null) this.ledger.stopCatchUp(true);
        this.#replay = null;
        return;
      case "crash":
        this.verdictsLost += this.ledger.verdictsLost;
        if (step.remembered) this.#remembered = this.#shown;
        if (step.copied && this.#late === null) this.#stateRef = this.ledger.cursors();
        this.ledger = this.#open(step.late ?? null);
        return;
      case "open":
        return this.#openLate();
      case "blind":
        this.#blind.push(this.#blind.length);
        this.ledger.receive(blind(this.#blind.length - 1), 0);
        return;
      case "compact":
        this.histories[step.type].compacted = this.histories[step.type].end;
        return;
      case "relist":
        return this.#relist(this.histories[step.type]);
      default:
        return step satisfies never;
    }
  }

  /** Quiet at last: Git works, the watches go on. Ends within a bound, or the ledger is stuck. */
  finish(): void {
    this.step({ do: "open" });
    for (let round = 0; round < 2000; round++) {
      for (const history of this.histories) this.#show(history);
      this.step({ do: "take" });
      this.#settle();
      this.#start();
      this.#replayNext();
      const shown = this.histories.every(({ type: { key }, end }) => covers(this.#shown.get(key) ?? null, cursor(end)));
      if (shown && this.ledger.queue.depth === 0 && this.ledger.detachedTypes.size === 0) break;
    }
    expect([...this.ledger.detachedTypes]).toEqual([]);
    expect(this.ledger.queue).toMatchObject({ depth: 0, bytes: 0 });
    expect(this.ledger.loggedVerdicts).toBe(0);
    expect(this.#told).toEqual(this.#blind);
    this.verdictsLost += this.ledger.verdictsLost;
    for (const {
      type: { key },
      end,
    } of this.histories)
      expect(this.ledger.cursorOf(key)).toEqual(cursor(end));
  }

  expectBounded(): void {
    expect(this.ledger.loggedVerdicts).toBeLessThanOrEqual(this.#world.verdictLogEntries);
  }

  #open(late: Late | null): BranchLedger {
    this.#flight = null;
    this.#replay = null;
    this.#blind = [];
    this.#told = [];
    this.#late = late;
    this.#shown = new Map([...this.#stateRef].map(([key, durable]) => [key, beginningOf(durable)]));
    if (late !== null) this.#shown.clear();
    if (late === "others") for (const history of this.histories) this.#begin(history);
    return new BranchLedger({
      cursors: late === null ? this.#stateRef : null,
      expected: this.histories.map((history) => history.type.key),
      backlogBytes: this.#world.backlogEntries * 532,
      verdictLogEntries: this.#world.verdictLogEntries,
      flushChanges: 3,
      flushBytes: 4 * 532,
    });
  }

  #openLate(): void {
    if (this.#late === null) return;
    this.#late = null;
    this.ledger.open({ cursors: this.#stateRef });
    // It may have nothing to say for a while.
    for (const [typeKey, at] of this.#shown) this.ledger.receive({ kind: "progressed", typeKey, cursor: at }, 0);
  }

  #begin(history: History): void {
    const { key } = history.type;
    this.#shown.set(key, cursor(history.end));
    const durable = this.#stateRef.get(key) ?? null;
    for (const { event, change } of history.rows) {
      if (covers(durable, cursorAt(event, 0))) continue;
      if (change === null) this.unheardQuiet++;
      else this.unheard++;
    }
  }

  /** The shared watch's next word on a type: a list where it has no start or lost it. */
  #show(history: History): void {
    const at = this.#shown.get(history.type.key);
    if (at === undefined || (Number(at.resourceVersion) < history.compacted && this.#isStart(history, at)))
      return this.#relist(history);
    if (covers(at, cursor(history.end))) return;
    const { at: next, message } = history.message(at);
    this.#shown.set(history.type.key, next);
    this.ledger.receive(message, 0);
  }

  /** Only a watch that begins is answered 410. */
  #isStart(history: History, at: Cursor): boolean {
    const durable = this.#stateRef.get(history.type.key);
    return durable !== undefined && compareCursors(beginningOf(durable), at) === 0;
  }

  #relist(history: History): void {
    const { key } = history.type;
    const message = history.relist(joined(this.#shown.get(key) ?? null, this.#remembered.get(key) ?? cursor(0)));
    if (!this.#shown.has(key)) this.#begin(history);
    this.#shown.set(key, cursor(history.end));
    this.ledger.receive(message, 0);
  }

  #settle(): void {
    if (this.#flight === null) return;
    const { cursors } = this.#flight;
    this.#flight = null;
    this.#stateRef = cursors;
    for (const { item, typeKey } of this.ledger.settle()) {
      if (item.kind === "coverage") this.#told.push(item.time.fromMs);
      else if (typeKey !== null) this.files.get(typeKey)?.apply(item);
    }
    for (const [key, durable] of cursors)
      expect(compareCursors(durable, this.ledger.cursorOf(key) ?? durable)).toBeLessThanOrEqual(0);
  }

  #start(): void {
    if (this.#replay !== null || this.#late !== null) return;
    const start = this.ledger.startCatchUp();
    const history = this.histories.find((one) => one.type.key === start?.typeKey);
    if (start !== null && history !== undefined) this.#replay = new Replay(history, start.from);
  }

  #replayNext(): void {
    if (this.#replay === null) return;
    const outcome = this.ledger.replay(this.#replay.next(), 0);
    if (outcome === "crowded") this.ledger.stopCatchUp(false);
    if (outcome !== "more") this.#replay = null;
  }
}

function play(world: World, steps: readonly Step[]): Run {
  const run = new Run(world);
  for (const step of steps) {
    run.step(step);
    run.expectBounded();
  }
  run.finish();
  return run;
}

/** Every change once, in order; `unknown` of them without their verdict. */
function expectAll(run: Run, unknown: number): void {
  for (const history of run.histories) {
    const files = run.files.get(history.type.key);
    const wanted = history.rows.flatMap(({ change }) => (change === null ? [] : [change]));
    const identity = ({ resourceVersion, uid }: Change): string => `${uid}@${resourceVersion}`;
    const told = new Set(wanted.map(identity));
    // What the log lost is replayed with its plain meaning: the worker drops what changes nothing.
    const got = files?.changes.filter((change) => told.has(identity(change))) ?? [];
    expect(got.map(identity)).toEqual(wanted.map(identity));
    const other = got.filter(({ verdict }, at) => verdict !== wanted[at]?.verdict);
    expect(other.every(({ verdict }) => verdict.tier === "unresolved")).toBe(true);
    expect(other.length).toBeLessThanOrEqual(unknown);
    const allKnown = unknown + run.unheardQuiet === 0;
    expect(files?.changes.length).toBeLessThanOrEqual(allKnown ? wanted.length : history.rows.length);
    files?.expectFaithful();
  }
}

suite("any interleaving of messages, failures, overflows, catch-ups and crashes", () => {
  test("commits every change once, in order, with its verdict unless the log's bound was exceeded", () => {
    check(
      fc.property(worlds, fc.array(fc.oneof(...ordinary, crashes), { maxLength: 120, size: "max" }), (world, steps) => {
        const run = play({ ...world, firstContact: false }, steps);
        expectAll(run, run.verdictsLost);
      }),
      { runs: 200 },
    );
  });

  test("opened late it does so too, without the verdicts of what came before the shared watch", () => {
    check(
      fc.property(
        worlds,
        fc.array(fc.oneof(...ordinary, crashes, ...lateness), { maxLength: 120, size: "max" }),
        (world, steps) => {
          const run = play({ ...world, firstContact: false }, steps);
          expectAll(run, run.verdictsLost + run.unheard);
        },
      ),
      { runs: 400 },
    );
  });

  test("with gaps and first contact too: the files are the cluster's, and nobody is named for what others did", () => {
    check(
      fc.property(
        worlds,
        fc.array(fc.oneof(...ordinary, crashes, gaps, ...lateness), { maxLength: 120, size: "max" }),
        (world, steps) => {
          const run = play(world, steps);
          for (const files of run.files.values()) files.expectFaithful();
        },
      ),
      { runs: 200 },
    );
  });
});
