import { defineConfig } from "vitest/config";

import { installationTests, olderServers } from "./test/controlplane/older-servers.ts";
import { leftOutTests } from "./test/remote/left-out.ts";

const leftOut = leftOutTests();
/** Until what hangs is given up. No test is judged by its speed: on a busy machine the longest take minutes. */
const patienceMs = 600_000;
const endToEnd = {
  exclude: leftOut,
  globalSetup: ["test/controlplane/require.ts"],
  fileParallelism: false,
  testTimeout: patienceMs,
  hookTimeout: patienceMs,
};

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
          ...endToEnd,
          include: ["test/e2e/**/*.test.ts"],
          sequence: { groupOrder: 1 },
        },
      },
      ...olderServers().map((minor, index) => ({
        test: {
          name: `e2e-${minor}`,
          ...endToEnd,
          include: installationTests,
          env: { KUBESCRIBE_KUBERNETES: minor },
          sequence: { groupOrder: 2 + index },
        },
      })),
    ],
  },
});
