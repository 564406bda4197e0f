import { describe, expect, test } from "vitest";

import type { Cursor, ResourceVersion, Uid } from "../../machines/messages.ts";
import { faultOf } from "../../machines/watch-fault.ts";
import type { FaultKind } from "../../machines/watch-fault.ts";
import { delayOf, waitFor } from "../../machines/watch-plan.ts";
import { initialWatch, stepWatch } from "../../machines/watch.ts";
import type { WatchInput } from "../../machines/watch.ts";

const version = (text: string): ResourceVersion => text as ResourceVersion;
/** `12` is complete, at `12 a` others than `a` may have been deleted. */
const cursorAt = (text: string, epoch = 0): Cursor => {
  const [at = "", ...uids] = text.split(" ");
  const cursor = { epoch, resourceVersion: version(at) };
  return uids.length === 0 ? cursor : { ...cursor, uids: uids as Uid[] };
};
const start = (text: string | null, epoch = 0, seen?: Cursor): WatchInput => {
  const cursor = text === null ? null : cursorAt(text, epoch);
  return { type: "started", cursor, seen: seen ?? cursor };
};
const probed = (at: string, heard: Cursor | null = null): WatchInput => ({
  type: "probed",
  version: version(at),
  heard,
});
const listed = (at: string, continues = false): WatchInput => ({ type: "listed", version: version(at), continues });
const failed = (kind: FaultKind, at: string | null = null, productive = false): WatchInput => ({
  type: "failed",
  fault: faultOf(kind),
  at: at === null ? null : cursorAt(at),
  productive,
});
const ended = (at: string): WatchInput => ({ type: "ended", at: cursorAt(at) });
const elapsed: WatchInput = { type: "elapsed" };

/** Runs the inputs; returns the state and what each input led to, in few words. */
function run(inputs: readonly WatchInput[]): { readonly state: string; readonly said: readonly string[] } {
  let snapshot = initialWatch();
  const said: string[] = [];
  for (const input of inputs) {
    const [next, effects] = stepWatch(snapshot, input);
    snapshot = next;
    said.push(
      effects
        .map((effect) => {
          switch (effect.kind) {
            case "list":
              return `${effect.method} ${effect.match} ${effect.version}`.trim();
            case "stream":
              return `stream ${effect.from}`;
            case "emit":
              return `emit ${effect.version} epoch ${effect.epoch}${effect.unbroken ? " unbroken" : ""}`;
            case "wait":
              return `wait ${effect.reason} ${effect.floorMs}-${effect.ceilingMs}`;
            case "restarted":
              return `restarted ${effect.reason}`;
            case "probe":
            case "stop":
              return effect.kind;
            default:
              return effect satisfies never;
          }
        })
        .join(", "),
    );
  }
  return { state: snapshot.value, said };
}

const streaming = [start(null), listed("10", true)];

const rows: readonly {
  readonly name: string;
  readonly inputs: readonly WatchInput[];
  readonly state: string;
  /** Of the last input. */
  readonly last: string;
}[] = [
  {
    name: "without a cursor it asks for a WatchList at once",
    inputs: [start(null)],
    state: "listing",
    last: "watch-list latest",
  },
  { name: "a WatchList goes on as a stream", inputs: streaming, state: "streaming", last: "emit 10 epoch 0" },
  {
    name: "a refused WatchList becomes pages without a wait",
    inputs: [start(null), failed("unsupported")],
    state: "listing",
    last: "pages latest",
  },
  {
    name: "a list by pages is followed by a stream from its version",
    inputs: [start(null), failed("unsupported"), listed("10")],
    state: "streaming",
    last: "emit 10 epoch 0, stream 10",
  },
  {
    name: "a WatchList that falls silent is not asked for again",
    inputs: [start(null), failed("silent"), elapsed],
    state: "listing",
    last: "pages latest",
  },
  {
    name: "with a cursor it asks first where the server counts",
    inputs: [start("7")],
    state: "probing",
    last: "probe",
  },
  {
    name: "with a cursor it lists exactly there",
    inputs: [start("7"), probed("9")],
    state: "listing",
    last: "pages exact 7",
  },
  {
    name: "a list at the cursor is unbroken",
    inputs: [start("7", 2), probed("9"), listed("7")],
    state: "streaming",
    last: "emit 7 epoch 2 unbroken, stream 7",
  },
  {
    name: "a cursor that fell out of the history leads to the latest list, which is broken",
    inputs: [start("7"), probed("9"), failed("gone"), probed("9"), listed("9", true)],
    state: "streaming",
    last: "emit 9 epoch 0",
  },
  {
    name: "a server that counts lower than the cursor begins a new epoch",
    inputs: [start("7", 2), probed("6"), listed("6", true)],
    state: "streaming",
    last: "emit 6 epoch 3",
  },
  {
    name: "versions are numbers, not text",
    inputs: [start("9"), probed("10")],
    state: "listing",
    last: "pages exact 9",
  },
  {
    name: "a server that has not caught up with the cursor is asked again",
    inputs: [start("7"), probed("9"), failed("ahead"), elapsed, probed("9")],
    state: "listing",
    last: "pages exact 7",
  },
  {
    name: "a stream that ended goes on where it was, once the server was asked where it counts",
    inputs: [...streaming, ended("12"), probed("15")],
    state: "streaming",
    last: "stream 12",
  },
  {
    name: "a stream that ended begins a new epoch where the server counts lower",
    inputs: [...streaming, ended("12"), probed("11")],
    state: "relisting",
    last: "restarted epoch, watch-list latest",
  },
  {
    name: "a broken stream waits, asks and goes on, without a relist",
    inputs: [...streaming, failed("broken", "12", true), elapsed, probed("12")],
    state: "streaming",
    last: "stream 12",
  },
  {
    name: "429 honours Retry-After",
    inputs: [
      ...streaming,
      { type: "failed", fault: faultOf("throttled", "", 5000), at: cursorAt("10"), productive: false },
    ],
    state: "backingOff",
    last: "restarted throttled, wait throttled 5000-800",
  },
  {
    name: "refused connections wait ever longer",
    inputs: [...streaming, failed("broken", "10"), elapsed, failed("refused"), elapsed, failed("refused")],
    state: "backingOff",
    last: "restarted refused, wait refused 0-3200",
  },
  {
    name: "a stream that said something forgives what failed before it",
    inputs: [...streaming, failed("broken", "10"), elapsed, probed("10"), failed("broken", "11", true)],
    state: "backingOff",
    last: "restarted broken, wait broken 0-800",
  },
  {
    name: "410 asks for a list not older than what was passed on",
    inputs: [...streaming, failed("gone", "12", true), probed("20")],
    state: "relisting",
    last: "watch-list not-older 12",
  },
  {
    name: "410 of that, too, asks for the latest list after a wait",
    inputs: [...streaming, failed("gone", "12", true), probed("20"), failed("gone"), elapsed, probed("20")],
    state: "relisting",
    last: "watch-list latest",
  },
  {
    name: "a relist older than what was passed on is not passed on",
    inputs: [...streaming, failed("gone", "12", true), probed("20"), listed("11", true)],
    state: "backingOff",
    last: "restarted fenced, wait fenced 0-1600",
  },
  {
    name: "a fenced relist is asked for again, at the latest",
    inputs: [...streaming, failed("gone", "12", true), probed("20"), listed("11", true), elapsed, probed("20")],
    state: "relisting",
    last: "watch-list latest",
  },
  {
    name: "bytes that nobody can read lead to the latest list",
    inputs: [...streaming, failed("undecodable", "12", true), elapsed, probed("20")],
    state: "relisting",
    last: "watch-list latest",
  },
  {
    name: "a stream that broke at a deletion begins before it: others may have gone in the same revision",
    inputs: [...streaming, failed("broken", "12 a", true), elapsed, probed("12")],
    state: "streaming",
    last: "stream 11",
  },
  {
    name: "a stream that ended at a deletion begins before it",
    inputs: [...streaming, ended("12 a"), probed("12")],
    state: "streaming",
    last: "stream 11",
  },
  {
    name: "a start at a deletion lists what was before it",
    inputs: [start("12 a"), probed("12")],
    state: "listing",
    last: "pages exact 11",
  },
  {
    name: "a list before a deletion is the exact one, and the stream begins there",
    inputs: [start("12 a"), probed("12"), listed("11")],
    state: "streaming",
    last: "emit 11 epoch 0 unbroken, stream 11",
  },
  {
    name: "a backup from between a deletion and what came before it is told apart",
    inputs: [start("12 a"), probed("11")],
    state: "relisting",
    last: "restarted epoch, watch-list latest",
  },
  {
    name: "a backup is told apart after the list before a deletion, too",
    inputs: [start("12 a"), probed("12"), listed("11"), failed("broken", "11"), elapsed, probed("11")],
    state: "relisting",
    last: "restarted epoch, watch-list latest",
  },
  {
    name: "a backup from between two targets' cursors is told apart, though it is above the one where the watch begins",
    inputs: [start("7", 2, cursorAt("9", 2)), probed("8")],
    state: "relisting",
    last: "restarted epoch, watch-list latest",
  },
  {
    name: "a backup from between this watch and one that has read further is told apart",
    inputs: [...streaming, failed("broken", "12", true), elapsed, probed("14", cursorAt("15"))],
    state: "relisting",
    last: "restarted epoch, watch-list latest",
  },
  {
    name: "one that has read further says nothing of where the watch goes on",
    inputs: [...streaming, failed("broken", "12", true), elapsed, probed("15", cursorAt("15"))],
    state: "streaming",
    last: "stream 12",
  },
  {
    name: "one that still reads an older epoch says nothing",
    inputs: [start("7", 2), probed("9", cursorAt("15", 1)), listed("7")],
    state: "streaming",
    last: "emit 7 epoch 2 unbroken, stream 7",
  },
  {
    name: "one that has begun a newer epoch is followed into it",
    inputs: [start("7", 2), probed("9", cursorAt("8", 4)), listed("9", true)],
    state: "streaming",
    last: "emit 9 epoch 4",
  },
  {
    name: "who begins with a list in an epoch that others have come to asks first whether the server counts lower",
    inputs: [start(null, 0, cursorAt("9", 2)), probed("8"), listed("8", true)],
    state: "streaming",
    last: "emit 8 epoch 3",
  },
  {
    name: "who begins with a list counts in the epoch that others have come to",
    inputs: [start(null, 0, cursorAt("9", 2)), probed("9"), listed("10", true)],
    state: "streaming",
    last: "emit 10 epoch 2",
  },
  {
    name: "another target's cursor says nothing of where the watch goes on",
    inputs: [start("7", 2, cursorAt("9", 2)), probed("9"), listed("7")],
    state: "streaming",
    last: "emit 7 epoch 2 unbroken, stream 7",
  },
  {
    name: "a cursor of an epoch that another target has left means nothing: a list, in the newest epoch",
    inputs: [start("7", 1, cursorAt("5", 2)), probed("9"), listed("9", true)],
    state: "streaming",
    last: "emit 9 epoch 2",
  },
  {
    name: "a backup restored again, before every target had heard of the first, begins another epoch",
    inputs: [start("7", 1, cursorAt("5", 2)), probed("4"), listed("4", true)],
    state: "streaming",
    last: "emit 4 epoch 3",
  },
  ...[4, 5].map((times) => ({
    name: `a server that lags behind the cursor is asked for it five times, not ${times + 1}`,
    inputs: [
      start("7"),
      ...Array.from({ length: times }, () => [probed("9"), failed("ahead"), elapsed]).flat(),
      probed("9"),
    ],
    state: times === 5 ? "relisting" : "listing",
    last: times === 5 ? "watch-list latest" : "pages exact 7",
  })),
  {
    name: "410 at a deletion asks for a list not older than it",
    inputs: [...streaming, failed("gone", "12 a", true), probed("20"), listed("11", true)],
    state: "backingOff",
    last: "restarted fenced, wait fenced 0-1600",
  },
  {
    name: "a crash goes on where it was",
    inputs: [...streaming, failed("crashed", "12"), elapsed, probed("20")],
    state: "streaming",
    last: "stream 12",
  },
  {
    name: "it can be stopped at any time",
    inputs: [...streaming, { type: "stopped" }],
    state: "stopped",
    last: "stop",
  },
];

describe("the watch of one type", () => {
  test.each(rows)("$name", ({ inputs, state, last }) => {
    const result = run(inputs);
    expect({ state: result.state, last: result.said.at(-1) }).toEqual({ state, last });
  });

  test("waits double from 0.8 s to 30 s, with full jitter and at least what Retry-After asks for", () => {
    const ceilings = [1, 2, 3, 4, 5, 6, 7, 100].map((failures) => waitFor(faultOf("refused"), failures).ceilingMs);
    expect(ceilings).toEqual([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    expect(delayOf(waitFor(faultOf("refused"), 3), 0.5)).toBe(1600);
    expect(delayOf(waitFor(faultOf("throttled", "", 9000), 1), 0.99)).toBe(9000);
    expect(waitFor(faultOf("throttled", "", 1e9), 1).floorMs).toBe(300_000);
  });
});
