/** `kubescribe run` with Node's clock, files, network and threads. */

import type { CommandContext } from "../commands/command-line.ts";
import { exitDone } from "../commands/command-line.ts";
import { run, runHelp } from "../commands/run.ts";
import { parseRunOptions } from "../config/run-options.ts";
import { createPrometheusMeter } from "../telemetry/meter.ts";
import { nodePorts } from "./node-ports.ts";
import { openTelemetry } from "./node-telemetry.ts";
import { startEngine } from "./start-engine.ts";
import { terminalLog } from "./terminal-log.ts";

export async function composeRun(argv: readonly string[], context: CommandContext): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    context.out(runHelp);
    return exitDone;
  }
  const options = parseRunOptions(argv, context.cwd);
  await using meter = createPrometheusMeter();
  const log = terminalLog({ level: options.logLevel, format: options.logFormat });
  await using telemetry = await openTelemetry(options, { meter, log });
  const ports = await nodePorts({ meter, log, signal: context.signal, follower: telemetry.follower });
  return await run(options, { ...ports, startEngine: (plan) => startEngine(plan, ports) });
}
