/** The Log: one line per message, for machines (JSON) or for people. Nothing that a cluster says can forge a line. */

import type { Clock, Log, LogFields } from "../../actors/ports.ts";

export type Level = "debug" | "info" | "warn" | "error";

export interface LogOptions {
  readonly clock: Pick<Clock, "nowMs">;
  readonly level: Level;
  readonly format: "json" | "human";
  /** Of human lines. */
  readonly colour: boolean;
  /** Takes one line, its line feed included. */
  readonly write: (line: string) => void;
}

export function createLog(options: LogOptions): Log {
  const line = options.format === "json" ? jsonLine : humanLine;
  const from = order.indexOf(options.level);
  function at(level: Level): Log["info"] {
    if (order.indexOf(level) < from) return () => undefined;
    return (message, fields = {}) => {
      options.write(line({ atMs: options.clock.nowMs(), level, message, fields, colour: options.colour }));
    };
  }
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

const order: readonly Level[] = ["debug", "info", "warn", "error"];
/** Characters of one value: a line stays readable, whatever a user calls himself. */
const valueLimit = 2000;

interface Entry {
  readonly atMs: number;
  readonly level: Level;
  readonly message: string;
  readonly fields: LogFields;
  readonly colour: boolean;
}

function jsonLine({ atMs, level, message, fields }: Entry): string {
  const entry: Record<string, string | number | boolean> = {
    time: new Date(atMs).toISOString(),
    level,
    message: shortened(message),
  };
  for (const [name, value] of Object.entries(fields)) {
    const key = Object.hasOwn(entry, name) ? `field_${name}` : name;
    entry[key] = typeof value === "string" ? shortened(value) : value;
  }
  return `${escaped(JSON.stringify(entry))}\n`;
}

const colours: Readonly<Record<Level, number>> = { debug: 2, info: 36, warn: 33, error: 31 };

function humanLine({ atMs, level, message, fields, colour }: Entry): string {
  const time = new Date(atMs).toISOString().slice(11, 23);
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const details = Object.entries(fields).map(([name, value]) => {
    return `${name}=${typeof value === "string" ? valueText(shortened(value)) : String(value)}`;
  });
  const tail = details.length === 0 ? "" : ` ${paint(2, escaped(details.join(" ")))}`;
  return `${time} ${paint(colours[level], level.padEnd(5))} ${escaped(shortened(message))}${tail}\n`;
}

function valueText(text: string): string {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

function shortened(text: string): string {
  return text.length > valueLimit ? `${text.slice(0, valueLimit)}...` : text;
}

/** Control characters, line separators and what turns the direction of text around. */
function escaped(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
