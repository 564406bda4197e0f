import type { Log } from "../../actors/ports.ts";
import type { LogFormat, LogLevel } from "../config/options.ts";
import { createLog } from "../telemetry/log.ts";
import { nodeClock } from "./node-clock.ts";

/** The log of this process, on stderr. */
export function terminalLog(options: { readonly level: LogLevel; readonly format: LogFormat }): Log {
  const terminal = process.stderr.isTTY;
  const format = options.format === "auto" ? (terminal ? "human" : "json") : options.format;
  const colour = terminal && (process.env["NO_COLOR"] ?? "") === "";
  return createLog({
    clock: nodeClock,
    level: options.level,
    format,
    colour,
    write: (line) => void process.stderr.write(line),
  });
}
