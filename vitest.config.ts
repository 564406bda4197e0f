import { defineConfig } from "vitest/config";

import { leftOutTests } from "./test/remote/left-out.ts";

const leftOut = leftOutTests();
/** Until what hangs is given up. No test is judged by its speed: on a busy machine the longest take minutes. */
const patienceMs = 600_000;

/** The end-to-end tests share one machine and its clock: one file after the other, after the unit tests. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", ...leftOut],
          // KUBESCRIBE_RUNS multiplies what property tests run (test/property/check.ts).
          testTimeout: patienceMs * Math.max(1, Number(process.env["KUBESCRIBE_RUNS"] ?? 1)),
          hookTimeout: patienceMs,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: leftOut,
          globalSetup: ["test/controlplane/require.ts"],
          fileParallelism: false,
          testTimeout: patienceMs,
          hookTimeout: patienceMs,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
