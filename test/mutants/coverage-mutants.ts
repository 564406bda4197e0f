/** Defects of telling when nobody looked. */

import { restarts } from "./fault-sets.ts";
import type { Mutant } from "./mutant.ts";

const keeper = "src/composition/coverage-keeper.ts";

export const coverageMutants: readonly Mutant[] = [
  {
    name: "blind-start-untold",
    defect: "what is known before the branches are open is never told",
    file: keeper,
    find: "for (const time of this.#waiting.splice(0)) this.#give(time, sink);",
    replace: "this.#waiting.splice(0);",
    breaks: "coverage",
    faults: [...restarts],
  },
  {
    name: "blind-since-start",
    defect: "a process is blind from its own start on, not from the end of the one before",
    file: keeper,
    find: "sinceMs: blind?.fromMs ?? aliveMs }",
    replace: "sinceMs: nowMs }",
    breaks: "coverage",
    faults: [...restarts],
  },
  {
    name: "one-sign-of-life",
    defect: "a process says only once that it lives",
    file: keeper,
    find: "      this.#save();\n      this.#arm();",
    replace: "      this.#arm();",
    breaks: "coverage",
    faults: [...restarts],
  },
  {
    name: "blind-time-twice",
    defect: "nobody remembers which blind times the branch tells of",
    file: "src/git/flush-builder.ts",
    find: 'this.#options.view.head === "" || this.#blindTimes.includes(mark)',
    replace: 'this.#options.view.head === ""',
    breaks: "coverage",
    faults: [...restarts],
  },
];
