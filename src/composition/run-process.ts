/** One run of the command in this process: argv, environment, streams and signals meet the commands here, and nowhere else. */

import { readFile } from "node:fs/promises";
import type { Command, CommandContext } from "../commands/command-line.ts";
import { commandLine, exitFailed } from "../commands/command-line.ts";
import { interruptOf } from "./process-signals.ts";

export async function runProcess(): Promise<void> {
  survivePipes();
  using interrupt = interruptOf(process, (line) => {
    // For a person at a terminal; elsewhere a log is read by machines.
    if (process.stderr.isTTY) process.stderr.write(`\n${line}\n`);
  });
  const context: CommandContext = {
    out: (text) => void process.stdout.write(text),
    error: (text) => void process.stderr.write(text),
    cwd: process.cwd(),
    debug: process.env["KUBESCRIBE_DEBUG"] === "1",
    signal: interrupt.signal,
  };
  process.exitCode = await commandLine(process.argv.slice(2), { commands, context, version: await versionOf() });
}

/** A command's code is loaded when it is called: `--help` answers at once. */
const commands: readonly Command[] = [
  {
    name: "demo",
    summary: "a simulated cluster, a few users, and the history they make; needs nothing",
    run: async (argv, context) => (await import("./compose-demo.ts")).composeDemo(argv, context),
  },
  {
    name: "run",
    summary: "watch a cluster and commit every change by its author",
    run: async (argv, context) => (await import("./compose-run.ts")).composeRun(argv, context),
  },
  {
    name: "simulate",
    summary: "play many seeds of it in memory, under faults, and see what holds",
    run: async (argv, context) => (await import("./compose-simulate.ts")).composeSimulate(argv, context),
  },
  {
    name: "install",
    summary: "print what kubectl apply makes an installation of; --check asks a cluster what it lacks",
    run: async (argv, context) =>
      (await import("./compose-install.ts")).composeInstall(argv, context, await versionOf()),
  },
  {
    name: "verify",
    summary: "compare the files at HEAD with the cluster",
    run: async (argv, context) => (await import("./compose-verify.ts")).composeVerify(argv, context),
  },
  {
    name: "who",
    summary: "who changed a resource, or a field of it, and when; reads a clone of the history",
    run: async (argv, context) => (await import("./compose-who.ts")).composeWho(argv, context),
  },
];

async function versionOf(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** `kubescribe --help | head -1` is no error; and who reads the log may go without taking the engine along. */
function survivePipes(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    process.stderr.write(
      `kubescribe: the output cannot be written (${error.code ?? error.message}): make room where it goes, and run it again.\n`,
    );
    process.exit(exitFailed);
  });
  process.stderr.on("error", () => undefined);
}
