/**
 * `npm test`: every check there is, one mark each, and the output of those that failed. Static checks and unit tests first,
 * two at a time; then, on a machine that is quiet again, the end-to-end tests, where their binaries are to be had.
 * KUBESCRIBE_E2E=required makes a skipped end-to-end test a failure, KUBESCRIBE_E2E=off leaves them out.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { delimiter, join, relative } from "node:path";
import { tmpdir } from "node:os";

import { findBinaries } from "../test/controlplane/binaries.ts";
import { untestedServers } from "../test/controlplane/older-servers.ts";

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Shows its output as it comes. */
  readonly live?: boolean;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What of vitest's report is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

const atOnce = 2;
const linesOfFailure = 20;
const root = join(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "kubescribe-check-"));
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const failedSteps: string[] = [];
const failedTests: string[] = [];

try {
  await runAll();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (failedSteps.length > 0) console.log(`\nFailed: ${failedSteps.join(", ")}`);
for (const failed of failedTests) console.log(failed);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = failedSteps.length === 0 ? 0 : 1;

async function runAll(): Promise<void> {
  const queue: Step[] = [
    { name: "unit tests", command: vitest("unit") },
    { name: "types", command: ["tsc", "-p", "."] },
    { name: "types of machines/", command: ["tsc", "-p", "machines"] },
    { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings"] },
    { name: "format", command: ["oxfmt", "--check"] },
    { name: "dead code, unused dependencies", command: ["knip", "--no-progress"] },
  ];
  const lane = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) await run(step);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  count("unit");
  await endToEnd();
}

async function endToEnd(): Promise<void> {
  const wanted = process.env["KUBESCRIBE_E2E"] ?? "";
  const { missing } = findBinaries();
  if (wanted === "off" || (missing.length > 0 && wanted !== "required")) {
    const why = wanted === "off" ? "KUBESCRIBE_E2E=off" : 'no control plane here; "npm run controlplane" builds it';
    console.log(`- end-to-end tests skipped: ${why}`);
    return;
  }
  // `e2e`, and with `e2e-1.34` and its like the older API servers.
  await run({ name: "end-to-end tests", command: vitest("e2e*"), live: true });
  for (const line of untestedServers()) console.log(`- ${line}`);
  const { skipped } = count("e2e*");
  if (wanted === "required" && skipped > 0) {
    failedSteps.push(`${skipped} end-to-end tests were skipped, and KUBESCRIBE_E2E=required`);
  }
}

function vitest(project: string): [string, ...string[]] {
  const report = `--outputFile.json=${reportOf(project)}`;
  return ["vitest", "run", "--project", project, "--reporter=default", "--reporter=json", report];
}

async function run(step: Step): Promise<void> {
  const startMs = performance.now();
  const { code, output } = await finish(step);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${code === 0 ? "✓" : "✗"} ${step.name} (${seconds} s)`);
  if (code === 0) {
    if (step.name === "unit tests") console.log(closingLines(output));
    return;
  }
  failedSteps.push(step.name);
  if (step.live !== true) console.log(`\n${output.trim()}\n`);
}

function finish(step: Step): Promise<{ readonly code: number; readonly output: string }> {
  const [command, ...args] = step.command;
  const path = [join(root, "node_modules", ".bin"), process.env["PATH"] ?? ""].join(delimiter);
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, PATH: path },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const take = (text: string): void => {
      output += text;
      if (step.live === true) process.stdout.write(text);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.once("error", (error) => {
      resolve({ code: 1, output: `${command} did not start: ${error.message}` });
    });
    child.once("close", (code) => {
      resolve({ code: code ?? 1, output });
    });
  });
}

/** Vitest's own summary, without what it says of each file. */
function closingLines(output: string): string {
  const lines = output.trimEnd().split("\n");
  return lines.filter((line) => /^\W*(?:\[\d+m|\s)*(?:Test Files|Tests|Duration)\b/u.test(line)).join("\n");
}

function count(project: string): Counts {
  const report = readReport(reportOf(project));
  // A run that broke before it could report counts as nothing: its step has failed already.
  if (report === undefined) return { passed: 0, failed: 0, skipped: 0 };
  const counts = {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
  };
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  failedTests.push(...describeFailures(report));
  return counts;
}

function readReport(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch {
    return undefined;
  }
}

/** Said again at the very end, where a long log is read first. */
function* describeFailures(report: Report): Generator<string> {
  for (const file of report.testResults) {
    const name = relative(root, file.name);
    for (const test of file.assertionResults) {
      if (test.status !== "failed") continue;
      const why = (test.failureMessages ?? []).join("\n").split("\n").slice(0, linesOfFailure);
      yield `\n✗ ${name}: ${test.fullName}\n${why.join("\n")}`;
    }
    const broken = file.status === "failed" && file.assertionResults.every(({ status }) => status !== "failed");
    if (broken) yield `\n✗ ${name}\n${file.message ?? ""}`;
  }
}

function reportOf(project: string): string {
  return join(scratch, `${project.replace("*", "")}.json`);
}
