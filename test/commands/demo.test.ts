import { mkdtemp, mkdir, open, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FileSystem } from "../../actors/ports.ts";
import type { DemoPorts } from "../../src/commands/demo.ts";
import { demo } from "../../src/commands/demo.ts";
import { wallClock } from "../simulator/clock.ts";
import type { Lies } from "./demo-engine.ts";
import { startPlainEngine } from "./demo-engine.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "kubescribe-demo-test-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe("the demo", () => {
  test("tells every author right with an engine that does, and names the commands to look further", async () => {
    const { ports, text } = portsOf();
    expect(await demo([], ports)).toBe(0);
    expect(text()).toMatch(/✔ (\d+) of \1 authors right/);
    expect(text()).toContain(`git -C ${directory}/place/history.git log`);
    expect(text()).not.toContain("\u001b");
  });

  test("says so, and exits 1, when an author is wrong", async () => {
    const { ports, text } = portsOf({ author: (user) => (user === "carol@example.com" ? "bob@example.com" : user) });
    expect(await demo([], ports)).toBe(1);
    expect(text()).toContain("was made by carol@example.com, and says bob@example.com (exact)");
  });

  test("ends cleanly when it is interrupted", async () => {
    const interruption = new AbortController();
    const { ports, text } = portsOf({ drops: () => interruption.abort() === undefined }, interruption.signal);
    expect(await demo(["--directory", "place"], ports)).toBe(1);
    expect(text()).toContain("Stopped before the end");
  });

  test("refuses a directory that is in use", async () => {
    await mkdir(join(directory, "place", "old"), { recursive: true });
    await expect(demo(["--directory", "place"], portsOf().ports)).rejects.toThrow(/to be empty or absent/);
  });

  test("refuses a directory that cannot be made", async () => {
    await writeFile(join(directory, "file"), "");
    await expect(demo(["--directory", "file/place"], portsOf().ports)).rejects.toMatchObject({
      code: "demo-directory-unusable",
      message: `expected a directory that can be made at ${join(directory, "file/place")}, found ENOTDIR: name another --directory`,
    });
  });

  test("refuses words that it does not know, and explains itself", async () => {
    const { ports, text } = portsOf();
    await expect(demo(["--dirctory", "x"], ports)).rejects.toThrow(
      /^unknown option "--dirctory"\. Did you mean "--directory"\?$/,
    );
    expect(await demo(["--help"], ports)).toBe(0);
    expect(text()).toContain("--directory DIR");
  });
});

function portsOf(lies: Lies = {}, signal: AbortSignal = new AbortController().signal) {
  const written: string[] = [];
  const ports: DemoPorts = {
    clock: wallClock,
    random: Math.random,
    fileSystem,
    output: { write: (text) => written.push(text), terminal: false, colour: false, columns: 100 },
    makeTemporaryDirectory: async () => join(directory, "place"),
    cwd: directory,
    startEngine: (options) => startPlainEngine(options, lies),
    signal,
  };
  return { ports, text: () => written.join("") };
}

const unused = () => Promise.reject(new Error("the demo has no need of this"));
const fileSystem: FileSystem = {
  async open(path) {
    const handle = await open(path, "w");
    return {
      write: (bytes) => handle.writeFile(bytes),
      read: unused,
      sync: unused,
      [Symbol.asyncDispose]: () => handle.close(),
    };
  },
  list: (path) => readdir(path),
  makeDirectory: async (path) => void (await mkdir(path, { recursive: true })),
  readFile: unused,
  stat: unused,
  rename: unused,
  remove: unused,
  syncDirectory: unused,
};
