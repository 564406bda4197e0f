/** The command as a shell starts it: what it says where no code of its own can catch anything. */

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const source = join(import.meta.dirname, "../../src");
const bin = join(source, "kubescribe.js");

test.skipIf(!existsSync("/dev/full"))("output that cannot be written is said in a line, and is a failure", () => {
  const { status, stderr } = spawnSync(process.execPath, [join(source, "main.ts"), "--help"], {
    stdio: ["ignore", openSync("/dev/full", "w"), "pipe"],
    encoding: "utf8",
  });
  expect(stderr).toBe(
    "kubescribe: the output cannot be written (ENOSPC): make room where it goes, and run it again.\n",
  );
  expect(status).toBe(1);
});

test("the package's command is the one of the checkout", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, "--version"], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^kubescribe \d+\.\d+\.\d+\n$/);
});

test("a Node that reads no TypeScript says which one is needed", () => {
  const { status, stderr } = spawnSync(process.execPath, ["--no-strip-types", bin, "--version"], { encoding: "utf8" });
  expect(stderr).toMatch(/^kubescribe: expected Node 26 or newer, found [\d.]+\. In a checkout [^\n]+\n$/);
  expect(status).toBe(2);
});

test("a checkout in which nothing is installed says what installs it", () => {
  const bare = mkdtempSync(join(tmpdir(), "kubescribe-bare-"));
  try {
    copyFileSync(bin, join(bare, "kubescribe.js"));
    writeFileSync(join(bare, "package.json"), '{"type": "module"}');
    const { status, stderr } = spawnSync(process.execPath, [join(bare, "kubescribe.js")], { encoding: "utf8" });
    expect(stderr).toMatch(/^kubescribe: expected the packages that it needs, found none: run "npm start"[^\n]+\n$/);
    expect(status).toBe(2);
  } finally {
    rmSync(bare, { recursive: true });
  }
});
