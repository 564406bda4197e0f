/**
 * How a property is checked: by a seed that stands in the suite's title, and with a report that ends in the command which plays the
 * failure again.
 *
 * KUBESCRIBE_SEED, KUBESCRIBE_PATH and KUBESCRIBE_COMMANDS come from such a report. KUBESCRIBE_RUNS multiplies the runs, for a long
 * proof.
 */

import { relative } from "node:path";
import fc from "fast-check";
import { describe, expect } from "vitest";

/** As long as the test runs: the same for all properties of a file. */
const seed = numberIn("KUBESCRIBE_SEED") ?? (Math.random() * 0x1_0000_0000) | 0;
const path = process.env["KUBESCRIBE_PATH"] ?? "";
const commandsPath = process.env["KUBESCRIBE_COMMANDS"] ?? "";
const runsFactor = numberIn("KUBESCRIBE_RUNS") ?? 1;
const defaultRuns = 100;

/** A group of properties. */
export function suite(title: string, properties: () => void): void {
  describe(`${title} (seed ${seed})`, properties);
}

export interface CheckOptions {
  /** How many values are drawn, 100 by default. */
  readonly runs?: number;
}

/** Once in a test: a path is of one property. */
export function check<Ts>(property: fc.IAsyncProperty<Ts>, options?: CheckOptions): Promise<void>;
export function check<Ts>(property: fc.IProperty<Ts>, options?: CheckOptions): void;
export function check<Ts>(
  property: fc.IAsyncProperty<Ts> | fc.IProperty<Ts>,
  { runs = defaultRuns }: CheckOptions = {},
): Promise<void> | void {
  const { currentTestName = "", testPath = "" } = expect.getState();
  const plugin: fc.Plugin<Ts> = () => ({
    onAllRunsComplete(details) {
      if (!details.failed) return;
      const report = fc.defaultReportMessage(details) ?? "";
      const replay = replayOf(details, { report, test: currentTestName, file: relative(process.cwd(), testPath) });
      throw new Error(`${report}\n\nAgain: ${replay}\n`, { cause: details.errorInstance });
    },
  });
  const again = path === "" ? {} : { path, endOnFailure: true };
  return fc.assert(property as fc.IProperty<Ts>, {
    seed,
    numRuns: Math.max(1, Math.round(runs * runsFactor)),
    ...again,
    plugins: [plugin],
  });
}

/** For fc.commands: a report says which of the commands were run, and that is played again too. */
export function commandsUpTo(maxCommands: number): { maxCommands: number; size: "max"; replayPath?: string } {
  return { maxCommands, size: "max", ...(commandsPath === "" ? {} : { replayPath: commandsPath }) };
}

function replayOf(
  details: { readonly seed: number; readonly counterexamplePath: string | null },
  { report, test, file }: { readonly report: string; readonly test: string; readonly file: string },
): string {
  const commands = /replayPath="([^"]*)"/.exec(report)?.[1];
  const name = test.split(" > ").at(-1) ?? test;
  return [
    `KUBESCRIBE_SEED=${details.seed}`,
    ...(details.counterexamplePath === null ? [] : [`KUBESCRIBE_PATH=${details.counterexamplePath}`]),
    ...(commands === undefined ? [] : [`KUBESCRIBE_COMMANDS=${commands}`]),
    `npx vitest run --project ${file.startsWith("test/e2e/") ? "e2e" : "unit"} ${file} -t ${quoted(`${name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`)}`,
  ].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function numberIn(name: string): number | null {
  const text = process.env[name] ?? "";
  if (text === "") return null;
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw new Error(`${name} must be a number, found ${JSON.stringify(text)}`);
}
