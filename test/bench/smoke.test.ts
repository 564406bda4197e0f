/** Every benchmark still runs, and says what its result was: its figures mean nothing here. */

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const main = new URL("../../bench/main.ts", import.meta.url);

const names = [
  "webhook",
  "watch",
  "engine",
  "yaml",
  "git",
  "commit",
  "push",
  "growth",
  "memory",
  "sizing",
  "churn",
  "who",
  "promises",
];

describe("the benchmarks", () => {
  it.concurrent.each(names)("%s runs in its smoke mode and prints a hash", async (name) => {
    const { stdout } = await run(process.execPath, [main.pathname, "--only", name, "--smoke", "--json"]);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({});
    expect(stdout).toMatch(/"(hash|result)":"[0-9a-f]{16}"/);
  });

  it("are all of them here", async () => {
    const text = await readFile(main, "utf8");
    for (const name of names) expect(text).toContain(`\n  ${name}: `);
  });

  it("says which ones there are", async () => {
    await expect(run(process.execPath, [main.pathname, "--only", "nothing"])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("webhook, watch, engine") as string,
    });
  });
});
