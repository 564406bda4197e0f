import { describe, expect, test } from "vitest";
import { initialTransition, transition } from "xstate";
import { backoffCeilingMs } from "../../machines/backoff.ts";
import { branchMachine, type BranchEffect, type BranchEvent } from "../../machines/branch.ts";

/** The states after `events`, as `flow supply`, and what was ordered on the way. */
function play(...events: readonly BranchEvent[]): { readonly state: string; readonly ordered: readonly string[] } {
  let [snapshot] = initialTransition(branchMachine);
  const ordered: string[] = [];
  for (const event of events) {
    const [next, actions] = transition(branchMachine, snapshot, event);
    snapshot = next;
    for (const { params } of actions) {
      const effect = params as BranchEffect;
      ordered.push("ceilingMs" in effect ? `${effect.kind} ${effect.ceilingMs}` : effect.kind);
    }
  }
  return { state: `${snapshot.value.flow} ${snapshot.value.supply}`, ordered };
}

const collected: BranchEvent = { type: "collected", holding: false };
const held: BranchEvent = { type: "collected", holding: true };
const windowElapsed: BranchEvent = { type: "windowElapsed" };
const failed: BranchEvent = { type: "failed", retry: "backoff" };
const hurried: BranchEvent = { type: "hurried" };

describe("the flow of flushes", () => {
  test.each<[string, readonly BranchEvent[], string, readonly string[]]>([
    ["waits for a window", [collected], "collecting", ["armWindow"]],
    ["flushes after the window", [collected, windowElapsed], "flushing", ["armWindow", "disarm", "flush"]],
    [
      "flushes before the window when enough waits",
      [collected, { type: "filled" }],
      "flushing",
      ["armWindow", "disarm", "flush"],
    ],
    ["waits for first lists", [held], "holding", ["armSnapshotWait"]],
    ["does not wait for them for ever", [held, windowElapsed], "flushing", ["armSnapshotWait", "disarm", "flush"]],
    [
      "flushes a backlog at once",
      [collected, windowElapsed, { type: "flushed", next: "backlog" }],
      "flushing",
      ["armWindow", "disarm", "flush", "flush"],
    ],
    [
      "waits for a window again",
      [collected, windowElapsed, { type: "flushed", next: "window" }],
      "collecting",
      ["armWindow", "disarm", "flush", "armWindow"],
    ],
    [
      "rests",
      [collected, windowElapsed, { type: "flushed", next: "nothing" }],
      "idle",
      ["armWindow", "disarm", "flush"],
    ],
    ["backs off", [collected, windowElapsed, failed], "backingOff", ["armWindow", "disarm", "flush", "armBackoff 800"]],
    [
      "backs off for longer",
      [hurried, collected, failed, { type: "backoffElapsed" }, failed],
      "backingOff",
      ["flush", "armBackoff 800", "disarm", "flush", "armBackoff 1600"],
    ],
    [
      "stops where no retry helps",
      [hurried, collected, { type: "failed", retry: "never" }],
      "stopped",
      ["flush", "giveUp"],
    ],
    ["stops where its own code fails", [{ type: "broken" }, collected], "stopped", ["giveUp"]],
    ["hurries out of a window", [collected, hurried], "flushing", ["armWindow", "disarm", "flush"]],
    [
      "hurries out of a pause",
      [hurried, collected, failed, hurried],
      "flushing",
      ["flush", "armBackoff 800", "disarm", "flush"],
    ],
    ["is calm again", [hurried, { type: "calmed" }, collected], "collecting", ["armWindow"]],
  ])("%s", (_, events, flow, ordered) => {
    expect(play(...events)).toEqual({ state: `${flow} attached`, ordered });
  });
});

describe("the supply", () => {
  const detached: BranchEvent = { type: "detached" };
  const relieved: BranchEvent = { type: "relieved" };
  test.each<[string, readonly BranchEvent[], string, readonly string[]]>([
    ["waits for room", [detached], "detached", []],
    ["catches up when there is room", [detached, relieved], "catchingUp", ["startCatchUp"]],
    [
      "re-attaches",
      [detached, relieved, { type: "caughtUp", more: false }],
      "attached",
      ["startCatchUp", "stopCatchUp"],
    ],
    [
      "goes on with other types",
      [detached, relieved, { type: "caughtUp", more: true }],
      "detached",
      ["startCatchUp", "stopCatchUp"],
    ],
    [
      "pauses when the backlog fills",
      [detached, relieved, { type: "crowded" }],
      "detached",
      ["startCatchUp", "stopCatchUp"],
    ],
    [
      "begins anew after a restored backup",
      [detached, relieved, { type: "outdated" }],
      "detached",
      ["startCatchUp", "stopCatchUp"],
    ],
    [
      "rests after a failure",
      [detached, relieved, { type: "catchUpFailed" }],
      "resting",
      ["startCatchUp", "stopCatchUp", "armRest 800"],
    ],
    [
      "waits for the shared watch",
      [detached, relieved, { type: "held" }],
      "awaitingLive",
      ["startCatchUp", "closeStream"],
    ],
    [
      "goes on behind a held list",
      [detached, relieved, { type: "held" }, { type: "caughtUp", more: true }],
      "detached",
      ["startCatchUp", "closeStream"],
    ],
  ])("%s", (_, events, supply, ordered) => {
    expect(play(...events)).toEqual({ state: `idle ${supply}`, ordered });
  });
});

test("pauses double from 0.8 s to 30 s", () => {
  expect([1, 2, 3, 6, 7, 50].map(backoffCeilingMs)).toEqual([800, 1600, 3200, 25_600, 30_000, 30_000]);
});
