import { describe, expect, test } from "vitest";
import { BranchLedger } from "../../machines/branch-ledger.ts";
import { unresolved } from "../../machines/branch-gap.ts";
import { cursorAt } from "../../machines/cursor.ts";
import type { BranchMessage, Change, Cursor, Uid, WatchEvent } from "../../machines/messages.ts";
import {
  blind,
  changed,
  changeOf,
  configmaps,
  cursor,
  event,
  progressed,
  relisted,
  secrets,
  verdictBy,
} from "../fakes/branch-world.ts";

/** At version 1 of two types, with room for one change. */
function openLedger(backlogBytes = 522): BranchLedger {
  return new BranchLedger({
    cursors: new Map([configmaps, secrets].map(({ key }) => [key, cursor(1)])),
    expected: [],
    backlogBytes,
    verdictLogEntries: 10,
    flushChanges: 10,
    flushBytes: 10_000,
  });
}

function openRoomyLedger(): BranchLedger {
  return openLedger(1 << 20);
}

function receive(ledger: BranchLedger, ...messages: readonly BranchMessage[]): readonly string[] {
  return messages.map((message) => ledger.receive(message, 0));
}

function flush(ledger: BranchLedger): readonly Change[] {
  ledger.take();
  return ledger.settle().flatMap(({ item }) => (item.kind === "change" ? [item.change] : []));
}

/** What `--ingestion dual` enqueues for a review: its version is only what it was based on. */
function attempted(base: number): BranchMessage {
  const change = changeOf(event({ version: base }), "alice");
  return { kind: "changed", change: { ...change, verdict: { ...change.verdict, tier: "dual" } } };
}

describe("a type that another format was used for", () => {
  const openOutOfFormat = (version: number, backlogBytes = 1 << 20): BranchLedger =>
    new BranchLedger({
      cursors: new Map([[configmaps.key, cursor(version)]]),
      expected: [],
      outOfFormat: new Set([configmaps.key]),
      backlogBytes,
      verdictLogEntries: 10,
      flushChanges: 10,
      flushBytes: 10_000,
    });
  const queuedIn = (ledger: BranchLedger): readonly string[] =>
    ledger.take().entries.map(({ item, after }) => {
      const names = item.kind === "format" ? ` ${item.items.map(({ name }) => name).join(" ")}` : "";
      return `${item.kind}${names} ${after === null ? "-" : after.resourceVersion}`;
    });
  const items = [event({ version: 3, name: "a" }), event({ version: 5, name: "b" })];

  test("is compared with a list at its position, once, before what follows", () => {
    const ledger = openOutOfFormat(5);
    expect(receive(ledger, relisted(5, items), relisted(5, items), changed({ version: 6 }))).toEqual([
      "queued",
      "skipped",
      "queued",
    ]);
    expect(queuedIn(ledger)).toEqual(["format a b -", "change 6"]);
  });

  test("is compared in what did not change, where the list is newer", () => {
    const ledger = openOutOfFormat(4);
    expect(receive(ledger, relisted(7, items))).toEqual(["queued"]);
    expect(queuedIn(ledger)).toEqual(["format a -", "change -", "resync 7"]);
  });

  test("is flushed with the others that are", () => {
    const ledger = new BranchLedger({
      cursors: new Map([configmaps, secrets].map(({ key }) => [key, cursor(5)])),
      expected: [],
      outOfFormat: new Set([configmaps.key, secrets.key]),
      backlogBytes: 1 << 20,
      verdictLogEntries: 10,
      flushChanges: 1,
      flushBytes: 10_000,
    });
    receive(ledger, relisted(5, items));
    expect(ledger.holding).toBe(true);
    receive(ledger, changed({ version: 6 }), relisted(5, [event({ version: 3, name: "s", type: secrets })]));
    expect(ledger.holding).toBe(false);
    expect(queuedIn(ledger)).toEqual(["format a b -", "format s -"]);
  });

  test("waits for another list where this one is older, of another epoch, or too large", () => {
    expect(receive(openOutOfFormat(6), relisted(5, items))).toEqual(["skipped"]);
    const ledger = openOutOfFormat(5, 10);
    expect(receive(ledger, changed({ version: 6 }), relisted(6, items))).toEqual(["queued", "skipped"]);
    expect(queuedIn(ledger)).toEqual(["change 6"]);
    const restored: BranchMessage = { kind: "relisted", type: configmaps, cursor: cursor(9, 1), items, changes: [] };
    const older = openOutOfFormat(5);
    receive(older, restored);
    expect(queuedIn(older).filter((entry) => entry.startsWith("format"))).toEqual([]);
  });
});

describe("an attempt", () => {
  test("is never old and moves nothing", () => {
    const ledger = openLedger();
    expect(receive(ledger, attempted(1))).toEqual(["queued"]);
    expect(ledger.take().cursors.get(configmaps.key)).toEqual(cursor(1));
    flush(ledger);
    expect(receive(ledger, attempted(40), changed({ version: 2 }))).toEqual(["queued", "logged"]);
    expect(ledger.cursorOf(configmaps.key)).toEqual(cursor(1));
  });

  test("that is refused is told by its event, which nobody else commits", () => {
    const ledger = openLedger();
    expect(receive(ledger, changed({ version: 2 }), attempted(2), progressed(3))).toEqual([
      "queued",
      "logged",
      "advanced",
    ]);
    flush(ledger);
    ledger.startCatchUp();
    expect(ledger.replay({ kind: "observed", event: event({ version: 3 }), epoch: 0 }, 0)).toBe("caughtUp");
    expect(flush(ledger).map(({ resourceVersion, verdict }) => [resourceVersion, verdict.tier])).toEqual([
      ["3", "unresolved"],
    ]);
  });
});

describe("a list after a gap", () => {
  const told = (ledger: BranchLedger): readonly string[] =>
    flush(ledger).map(
      ({ operation, name, resourceVersion: at, verdict }) => `${operation} ${name}@${at} ${verdict.tier}`,
    );

  test("is told with what the actors leave out: they may know it from an earlier process that never committed it", () => {
    const ledger = openRoomyLedger();
    const items = [event({ name: "new", version: 3, uid: "second" }), event({ name: "old", version: 1 })];
    const untold = event({ name: "untold", version: 2 });
    const dying = event({ name: "dying", version: 4, terminating: true });
    const first = { ...event({ name: "new", version: 3, uid: "first" }) };
    const changes = [
      changeOf(first, "ann", "DELETE"),
      changeOf(event({ name: "new", version: 3, uid: "second" }), "ann", "CREATE"),
    ];
    expect(receive(ledger, relisted(5, [...items, dying, untold], changes))).toEqual(["queued"]);
    expect(told(ledger)).toEqual(["UPDATE untold@2 unresolved", "DELETE new@3 exact", "CREATE new@3 exact"]);
    expect(ledger.cursorOf(configmaps.key)).toEqual(cursor(5));
  });

  test("begins a creation with the end of what may stand in its place: an earlier process may have seen it end", () => {
    const ledger = openRoomyLedger();
    const [born, reborn] = [event({ name: "born", version: 3 }), event({ name: "reborn", version: 4, uid: "second" })];
    const ended = { ...event({ name: "reborn", version: 4 }), uid: "first" as Uid };
    const changes = [
      changeOf(born, "ann", "CREATE"),
      changeOf(ended, "ann", "DELETE"),
      changeOf(reborn, "ann", "CREATE"),
    ];
    const doubtful = event({ name: "doubtful", version: 5 });
    const doubted = { ...changeOf(doubtful, "", "CREATE"), verdict: unresolved() };
    receive(ledger, relisted(5, [born, reborn, doubtful], [...changes, doubted]));
    const [end] = ledger.take().entries.map(({ item }) => (item.kind === "change" ? item.change : null));
    expect(end).toMatchObject({ uid: "unknown", bytes: new Uint8Array(), verdict: { author: null } });
    expect(told(ledger)).toEqual([
      "DELETE born@3 unresolved",
      "CREATE born@3 exact",
      "DELETE reborn@4 exact",
      "CREATE reborn@4 exact",
      "CREATE doubtful@5 unresolved",
    ]);
  });

  test("recovers nobody where the branch has less than the actors knew: others made a part of what is different here", () => {
    const recovered = (since: number): Change => ({
      ...changeOf(event({ version: 4 }), "ann"),
      verdict: { ...verdictBy("ann"), tier: "recovered" },
      since: cursor(since),
    });
    for (const since of [2, 1]) {
      const ledger = openRoomyLedger();
      receive(ledger, relisted(5, [event({ version: 4 })], [recovered(since)]));
      const [change] = flush(ledger);
      expect(change?.verdict).toMatchObject(
        since === 1
          ? { tier: "recovered", author: { user: "ann" } }
          : { tier: "collapsed", author: null, candidates: [{ user: "ann" }] },
      );
    }
  });

  test("across a restore tells everything that is there", () => {
    const ledger = openRoomyLedger();
    const items = [event({ name: "a", version: 1 })];
    receive(ledger, { kind: "relisted", type: configmaps, cursor: cursor(1, 1), items, changes: [] });
    expect(told(ledger)).toEqual(["UPDATE a@1 unresolved"]);
  });
});

describe("a detached type", () => {
  test("logs each message once", () => {
    const ledger = openLedger();
    const messages = [changed({ version: 2 }), changed({ version: 3 }), changed({ version: 3 }), progressed(3)];
    expect(receive(ledger, ...messages)).toEqual(["queued", "logged", "skipped", "skipped"]);
    expect(ledger.loggedVerdicts).toBe(1);
  });

  test("lets go of a verdict once its change is accepted, and of all when it re-attaches", () => {
    const ledger = openLedger();
    receive(ledger, ...[2, 3, 4].map((version) => changed({ version })));
    flush(ledger);
    ledger.startCatchUp();
    expect(ledger.replay({ kind: "observed", event: event({ version: 3 }), epoch: 0 }, 0)).toBe("more");
    expect(ledger.loggedVerdicts).toBe(1);
    flush(ledger);
    expect(ledger.replay({ kind: "observed", event: event({ version: 4 }), epoch: 0 }, 0)).toBe("caughtUp");
    expect(ledger.loggedVerdicts).toBe(0);
  });

  test("whose catch-up fails lets the others go first", () => {
    const ledger = openLedger();
    receive(
      ledger,
      changed({ version: 2 }),
      changed({ version: 3 }),
      changed({ version: 4, name: "s", type: secrets }),
    );
    flush(ledger);
    expect(ledger.startCatchUp()?.typeKey).toBe(configmaps.key);
    ledger.stopCatchUp(true);
    expect(ledger.startCatchUp()?.typeKey).toBe(secrets.key);
  });

  test("asks for a list when the cluster was restored meanwhile: its position may mean something else now", () => {
    const ledger = openLedger();
    receive(ledger, changed({ version: 5 }), changed({ version: 6 }));
    const items = [event({ version: 3 })];
    receive(ledger, { ...relisted(3, items), cursor: cursor(3, 1) } as BranchMessage);
    flush(ledger);
    expect(ledger.startCatchUp()).toEqual({ typeKey: configmaps.key, from: null, seen: cursor(3, 1) });
    const listed = { kind: "listed", type: configmaps, ...cursor(3, 1), unbroken: false, items } as const;
    expect(ledger.replay(listed, 0)).toBe("caughtUp");
    expect(flush(ledger).map(({ epoch, verdict }) => [epoch, verdict.tier])).toEqual([[1, "unresolved"]]);
    expect(ledger.cursorOf(configmaps.key)).toEqual(cursor(3, 1));
  });

  test("takes nothing from a catch-up beyond the shared watch: the verdict is still to come", () => {
    const ledger = openLedger();
    receive(
      ledger,
      changed({ version: 2 }),
      relisted(9, [event({ version: 8 })], [changeOf(event({ version: 8 }), "bob")]),
    );
    flush(ledger);
    ledger.startCatchUp();
    expect(ledger.replay({ kind: "observed", event: event({ version: 8 }), epoch: 0 }, 0)).toBe("more");
    flush(ledger);
    expect(ledger.replay({ kind: "observed", event: event({ version: 12 }), epoch: 0 }, 0)).toBe("caughtUp");
    expect(receive(ledger, { kind: "changed", change: changeOf(event({ version: 12 }), "carol") })).toEqual(["queued"]);
    expect(flush(ledger).map(({ verdict }) => verdict)).toEqual([verdictBy("carol")]);
  });
});

describe("a catch-up beyond the history", () => {
  test("tells of two incarnations of a name in their order, and of others where they belong", () => {
    const ledger = openLedger();
    const old = event({ name: "b", version: 5, uid: "old" });
    const items = [event({ name: "a", version: 7 }), event({ name: "b", version: 5, uid: "new" })];
    const changes = [
      changeOf(old, "ann", "DELETE"),
      changeOf(event({ name: "b", version: 5, uid: "new" }), "ann", "CREATE"),
    ];
    receive(ledger, changed({ version: 2 }), changed({ version: 3, name: "c" }), relisted(6, items, changes));
    receive(
      ledger,
      changed({ version: 7, name: "a" }),
      changed({ version: 8, name: "c", kind: "DELETED" }, "bob", "DELETE"),
    );
    receive(ledger, progressed(9));
    flush(ledger);
    ledger.startCatchUp();
    const listed = { kind: "listed", type: configmaps, ...cursor(9), unbroken: false, items } as const;
    expect(ledger.replay(listed, 0)).toBe("caughtUp");
    expect(
      flush(ledger).map(({ operation, name, resourceVersion }) => `${operation} ${name}@${resourceVersion}`),
    ).toEqual(["DELETE b@5", "CREATE b@5", "UPDATE a@7", "DELETE c@8"]);
  });
});

describe("a catch-up across a restored backup", () => {
  test("is begun anew with a list, in the epoch that the shared watch has come to", () => {
    const ledger = openLedger();
    expect(receive(ledger, changed({ version: 2 }), changed({ version: 3 }))).toEqual(["queued", "logged"]);
    flush(ledger);
    expect(ledger.startCatchUp()).toMatchObject({ from: cursor(2), seen: cursor(3) });
    const restored = { kind: "relisted", type: configmaps, cursor: cursor(2, 1), items: [], changes: [] } as const;
    expect(receive(ledger, restored)).toEqual(["outdated"]);
    // Its stream was open all along, and goes on as if nothing had happened.
    expect(ledger.replay({ kind: "observed", event: event({ version: 3 }), epoch: 0 }, 0)).toBe("crowded");
    ledger.stopCatchUp(false);
    expect(ledger.startCatchUp()).toMatchObject({ from: null, seen: cursor(2, 1) });
  });
});

/** An expired lease deletes several objects of a type (Events, where a rule names them) at one version. */
describe("what a type's position covers", () => {
  test("is skipped: a bookmark, a list and a change at the very version, before and after a restart", () => {
    const ledger = openRoomyLedger();
    const items = [event({ name: "a", version: 1 })];
    expect(receive(ledger, progressed(1), relisted(1, items), changed({ version: 1 }))).toEqual(
      Array(3).fill("skipped"),
    );
    expect(receive(ledger, relisted(4, items), relisted(4, items), progressed(4), changed({ version: 4 }))).toEqual([
      "queued",
      "skipped",
      "skipped",
      "skipped",
    ]);
    expect(ledger.take().entries).toHaveLength(1);
  });

  test("is skipped where the shared watch has said it and the target was full", () => {
    const ledger = openLedger();
    const items = [event({ name: "a", version: 4 })];
    receive(ledger, changed({ version: 2 }), changed({ version: 3 }));
    expect(receive(ledger, relisted(4, items), relisted(4, items), progressed(4))).toEqual([
      "logged",
      "skipped",
      "skipped",
    ]);
  });

  test("is left out of a catch-up's list, too", () => {
    const ledger = openLedger();
    const messages = [changed({ version: 2 }), changed({ version: 3, name: "b" }, "bob"), progressed(5)];
    expect(receive(ledger, ...messages)).toEqual(["queued", "logged", "advanced"]);
    flush(ledger);
    ledger.startCatchUp();
    const listed = (version: number, items: readonly WatchEvent[]) =>
      ledger.replay({ kind: "listed", type: configmaps, ...cursor(version), unbroken: false, items }, 0);
    const a = event({ version: 2 });
    expect(listed(2, [a])).toBe("more");
    expect(ledger.take().entries).toEqual([]);
    expect(listed(5, [a, event({ version: 3, name: "b" })])).toBe("caughtUp");
    expect(flush(ledger).map(({ name, verdict }) => [name, verdict])).toEqual([["b", verdictBy("bob")]]);
  });
});

test("a catch-up's list is told with authors from where the log is complete, and by nobody before", () => {
  const told = (reached: number | null) => {
    const ledger = openLedger();
    const items = [event({ version: 2 }), event({ version: 3, name: "b" }), event({ version: 6, name: "c" })];
    receive(
      ledger,
      changed({ version: 2 }),
      relisted(4, items.slice(0, 2)),
      changed({ version: 6, name: "c" }, "carol"),
    );
    receive(ledger, progressed(7));
    flush(ledger);
    ledger.startCatchUp();
    if (reached !== null) ledger.replay({ kind: "bookmarked", type: configmaps, ...cursor(reached) }, 0);
    ledger.replay({ kind: "listed", type: configmaps, ...cursor(7), unbroken: false, items }, 0);
    return flush(ledger).map(({ name, verdict }) => `${name} ${verdict.tier}`);
  };
  expect(told(null)).toEqual(["b unresolved", "c collapsed"]);
  expect(told(3)).toEqual(["c collapsed"]);
  expect(told(4)).toEqual(["c exact"]);
});

describe("a flush", () => {
  test("takes as much as its bounds allow and no more, but at least one change", () => {
    const bounds = { expected: [], backlogBytes: 1 << 20, verdictLogEntries: 10 };
    const taken = (flushChanges: number, flushBytes: number, ...sizes: readonly number[]) => {
      const cursors = new Map([[configmaps.key, cursor(1)]]);
      const ledger = new BranchLedger({ ...bounds, cursors, flushChanges, flushBytes });
      receive(ledger, ...sizes.map((sizeBytes, at) => changed({ version: at + 2, sizeBytes })));
      const { full } = ledger;
      return [full, ledger.take().entries.length];
    };
    expect(taken(2, 10_000, 10)).toEqual([false, 1]);
    expect(taken(2, 10_000, 10, 10)).toEqual([true, 2]);
    expect(taken(2, 10_000, 10, 10, 10)).toEqual([true, 2]);
    expect(taken(9, 1044, 10, 10, 10)).toEqual([true, 2]);
    expect(taken(9, 1043, 10, 10)).toEqual([true, 1]);
    expect(taken(9, 523, 10)).toEqual([false, 1]);
    expect(taken(9, 522, 10)).toEqual([true, 1]);
    expect(taken(9, 100, 500)).toEqual([true, 1]);
  });
});

describe("deletions at one version", () => {
  const deleted = (name: string) => event({ version: 2, name, kind: "DELETED" });
  const gone = (name: string): BranchMessage => changed({ version: 2, name, kind: "DELETED" }, "alice", "DELETE");
  const partly = (...names: readonly string[]): Cursor => ({
    ...cursor(2),
    uids: names.map((name) => `uid-${name}` as Uid),
  });

  test("are all accepted, each once", () => {
    const ledger = openRoomyLedger();
    const ended: BranchMessage = { kind: "progressed", typeKey: configmaps.key, cursor: cursorAt(deleted("c"), 0) };
    expect(receive(ledger, gone("a"), gone("b"), gone("a"), ended, gone("d"))).toEqual([
      "queued",
      "queued",
      "skipped",
      "advanced",
      "queued",
    ]);
    expect(flush(ledger)).toHaveLength(3);
    expect(ledger.cursorOf(configmaps.key)).toEqual(partly("a", "b", "c", "d"));
    expect(receive(ledger, progressed(2), gone("e"))).toEqual(["advanced", "skipped"]);
    expect(ledger.cursorOf(configmaps.key)).toEqual(cursor(2));
  });

  test("that come again after a restart are accepted where they are not in Git yet", () => {
    const cursors = new Map([[configmaps.key, partly("a")]]);
    const limits = { expected: [], backlogBytes: 1 << 20, verdictLogEntries: 10, flushChanges: 10, flushBytes: 10_000 };
    const ledger = new BranchLedger({ ...limits, cursors });
    expect(receive(ledger, relisted(1, []), gone("a"), gone("b"))).toEqual(["skipped", "skipped", "queued"]);
    expect(receive(new BranchLedger({ ...limits, cursors }), relisted(2, []))).toEqual(["queued"]);
  });

  test("are caught up where there was room for the first of them only", () => {
    const ledger = openLedger();
    expect(receive(ledger, gone("a"), gone("b"), gone("c"))).toEqual(["queued", "logged", "logged"]);
    flush(ledger);
    expect(ledger.startCatchUp()?.from).toEqual(partly("a"));
    const replay = (name: string): string => ledger.replay({ kind: "observed", event: deleted(name), epoch: 0 }, 0);
    const listed = { kind: "listed", type: configmaps, ...cursor(1), unbroken: true, items: [] } as const;
    expect([ledger.replay(listed, 0), replay("a"), replay("c")]).toEqual(["more", "more", "more"]);
    expect(flush(ledger).map(({ name, verdict }) => [name, verdict.tier])).toEqual([["c", "exact"]]);
    expect([replay("b"), ledger.loggedVerdicts]).toEqual(["caughtUp", 0]);
    expect(flush(ledger).map(({ name, verdict }) => [name, verdict.tier])).toEqual([["b", "exact"]]);
  });
});

describe("a blind time", () => {
  const queuedIn = (ledger: BranchLedger): readonly string[] =>
    ledger.take().entries.map(({ item }) => {
      if (item.kind === "coverage") return `blind ${item.time.fromMs} ${item.time.toMs ?? "on"}`;
      return item.kind === "change" ? `change ${item.change.resourceVersion}` : item.kind;
    });

  test("stands among the changes where it came, and moves no cursor", () => {
    const ledger = openRoomyLedger();
    expect(receive(ledger, changed({ version: 2 }), blind(7), changed({ version: 3 }))).toEqual([
      "queued",
      "queued",
      "queued",
    ]);
    expect(queuedIn(ledger)).toEqual(["change 2", "blind 7 8", "change 3"]);
    ledger.settle();
    expect(ledger.cursorOf(configmaps.key)).toEqual(cursor(3));
    expect(ledger.queue).toMatchObject({ depth: 0, bytes: 0 });
  });

  test("waits for room, and is told then", () => {
    const ledger = openLedger();
    expect(receive(ledger, changed({ version: 2 }), blind(7), blind(9))).toEqual(["queued", "skipped", "skipped"]);
    expect(queuedIn(ledger)).toEqual(["change 2"]);
    ledger.settle();
    expect(queuedIn(ledger)).toEqual(["blind 7 8"]);
    ledger.settle();
    expect(queuedIn(ledger)).toEqual(["blind 9 10"]);
  });

  test("waits for a branch that is opened late, and stands before its changes", () => {
    const ledger = new BranchLedger({
      cursors: null,
      expected: [],
      backlogBytes: 1 << 20,
      verdictLogEntries: 10,
      flushChanges: 10,
      flushBytes: 10_000,
    });
    expect(receive(ledger, blind(7), blind(9, null))).toEqual(["skipped", "skipped"]);
    expect(ledger.queue.depth).toBe(0);
    ledger.open({ cursors: new Map([[configmaps.key, cursor(1)]]) });
    expect(queuedIn(ledger)).toEqual(["blind 7 8", "blind 9 on"]);
  });

  test("is joined with others where more wait than a bound lets", () => {
    const ledger = openLedger();
    receive(ledger, changed({ version: 2 }), ...Array.from({ length: 150 }, (_, at) => blind(10 * at)));
    const times: string[] = [];
    for (let left = 200; left > 0 && ledger.queue.depth > 0; left -= 1) {
      times.push(...queuedIn(ledger));
      ledger.settle();
    }
    expect(times).toHaveLength(101);
    expect(times.slice(-2)).toEqual(["blind 980 981", "blind 990 1491"]);
  });
});
