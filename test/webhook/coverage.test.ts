import { expect, test } from "vitest";

import type { UncoveredReason } from "../../src/webhook/configuration-judge.ts";
import { type Coverage, CoverageLog } from "../../src/webhook/coverage.ts";

const bad: readonly UncoveredReason[] = [{ code: "narrowed", message: "less" }];
const worse: readonly UncoveredReason[] = [{ code: "missing", message: "nothing" }];

/** A look at a generation, from one time to another. */
interface Seen {
  readonly at: readonly [beganMs: number, endedMs: number];
  readonly generation: number | null;
  readonly reasons?: readonly UncoveredReason[];
}

function told(act: (log: CoverageLog, look: (seen: Seen) => void) => void): readonly string[] {
  const log = new CoverageLog(0);
  const all: Coverage[] = [];
  log.coverage$.subscribe((each) => all.push(each));
  act(log, ({ at: [beganMs, endedMs], generation, reasons = [] }) =>
    log.looked({ state: generation === null ? null : { uid: "u", generation }, reasons, beganMs, endedMs }),
  );
  return all.slice(1).map((each) => (each.covered ? `${each.sinceMs}` : `${each.sinceMs} ${each.reasons[0]?.code}`));
}

test.each<[string, Parameters<typeof told>[0], readonly string[]]>([
  ["covered from the end of the first look", (_, look) => look({ at: [10, 15], generation: 1 }), ["15"]],
  [
    "uncovered from the beginning of the last good look, covered from the end of the next",
    (_, look) => {
      look({ at: [10, 15], generation: 1 });
      look({ at: [20, 25], generation: 1 });
      look({ at: [30, 35], generation: 2, reasons: bad });
      look({ at: [40, 45], generation: 3, reasons: worse });
      look({ at: [50, 55], generation: 4 });
    },
    ["15", "20 narrowed", "20 missing", "55"],
  ],
  [
    "a state that somebody else made between two looks",
    (_, look) => {
      look({ at: [10, 15], generation: 1 });
      look({ at: [20, 25], generation: 3 });
    },
    ["15", "10 changed", "25"],
  ],
  [
    "a state that we made",
    (log, look) => {
      look({ at: [10, 15], generation: 1 });
      log.wrote({ uid: "u", generation: 2 });
      look({ at: [20, 25], generation: 2 });
    },
    ["15"],
  ],
  [
    "a state that we made of a bad one is good once it was looked at",
    (log, look) => {
      look({ at: [10, 15], generation: 1 });
      look({ at: [20, 25], generation: 2, reasons: bad });
      log.wrote({ uid: "u", generation: 3 });
      look({ at: [30, 35], generation: 3 });
    },
    ["15", "10 narrowed", "35"],
  ],
  [
    "what is needed from now on",
    (log, look) => {
      look({ at: [10, 15], generation: 1 });
      log.needed(bad, 17);
      log.needed([], 18);
    },
    ["15", "17 narrowed"],
  ],
  [
    "unobserved for a time, in which nothing happened",
    (log, look) => {
      look({ at: [10, 15], generation: 1 });
      log.unobserved("down");
      log.unobserved("down");
      look({ at: [90, 95], generation: 1 });
    },
    ["15", "15 unobserved", "15"],
  ],
  [
    "unobserved for a time, in which something happened",
    (log, look) => {
      look({ at: [10, 15], generation: 1 });
      log.unobserved("down");
      look({ at: [90, 95], generation: 2 });
    },
    ["15", "15 unobserved", "95"],
  ],
  ["unobserved before anything was known", (log) => log.unobserved("down"), []],
])("%s", (_name, act, expected) => {
  expect(told(act)).toEqual(expected);
});
