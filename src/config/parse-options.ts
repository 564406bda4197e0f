/** From argv to checked values, by an option table. Every wrong option is reported, not just the first. */

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { didYouMean } from "./nearest.ts";
import type { Address } from "./options.ts";
import type { OptionDefinition, OptionKind } from "./option-table.ts";
import { sizeText } from "./option-table.ts";
import type { Problem } from "./problem.ts";
import { configurationError, quoted } from "./problem.ts";

/** Values by the option's name. Asking for one that is not in the table, or not of that kind, is a bug. */
export interface ParsedOptions {
  text(name: string): string;
  textOrNull(name: string): string | null;
  number(name: string): number;
  numberOrNull(name: string): number | null;
  address(name: string): Address;
  flag(name: string): boolean;
  /** What is no option, in order. */
  readonly words: readonly string[];
}

type Value = string | number | boolean | Address | null;

export interface ParseSettings {
  readonly table: readonly OptionDefinition[];
  /** What relative paths are relative to. */
  readonly cwd: string;
  /** Words that are no options are wrong unless this is set. */
  readonly takesWords?: boolean;
}

/** Throws a KubescribeError (`configuration-invalid`). */
export function parseOptions(argv: readonly string[], options: ParseSettings): ParsedOptions {
  const { table, cwd, takesWords = false } = options;
  const problems: Problem[] = [];
  const { given, words } = tokensOf(argv, table, problems);
  if (!takesWords) {
    for (const word of words)
      problems.push({ place: null, path: "", message: `expected options only, found ${quoted(word)}` });
  }
  const values = new Map<string, Value>();
  for (const definition of table) {
    const typed = given.get(definition.name) ?? definition.fallback;
    if (typed === null) {
      const required = definition.kind.kind === "path" && definition.kind.required;
      if (required)
        problems.push(
          problem(
            definition,
            `is missing: expected --${definition.name} ${definition.value ?? ""}, ${definition.help}`,
          ),
        );
      values.set(definition.name, definition.kind.kind === "flag" ? false : null);
      continue;
    }
    const checked = valueOf(typed, definition.kind, cwd);
    if ("expected" in checked)
      problems.push(problem(definition, `expected ${checked.expected}, found ${quoted(typed)}${checked.advice}`));
    else values.set(definition.name, checked.value);
  }
  if (problems.length > 0) throw configurationError(problems);
  return { ...accessors(values), words };
}

function tokensOf(
  argv: readonly string[],
  table: readonly OptionDefinition[],
  problems: Problem[],
): { readonly given: ReadonlyMap<string, string>; readonly words: readonly string[] } {
  const types = Object.fromEntries(
    table.map(({ name, short, value }) => {
      const type = value === null ? ("boolean" as const) : ("string" as const);
      return [name, short === undefined ? { type } : { type, short }];
    }),
  );
  const { tokens } = parseArgs({
    args: [...argv],
    options: types,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string>();
  const words: string[] = [];
  /** Where the value of an unknown option would stand: it is not another mistake. */
  let unknownValueAt = -1;
  for (const token of tokens) {
    if (token.kind === "positional" && token.index !== unknownValueAt) words.push(token.value);
    if (token.kind !== "option") continue;
    const definition = table.find(({ name }) => name === token.name);
    if (definition === undefined) {
      const message = `unknown option ${quoted(token.rawName)}.${didYouMean(
        token.name,
        table.map(({ name }) => name),
        "--",
      )}`;
      problems.push({ place: null, path: "", message });
      unknownValueAt = token.inlineValue ? -1 : token.index + 1;
    } else if (given.has(token.name)) problems.push(problem(definition, "is given twice: expected it once"));
    else if (definition.value === null) {
      if (token.value !== undefined) problems.push(problem(definition, `takes no value, found ${quoted(token.value)}`));
      given.set(token.name, "true");
    } else if (token.value === undefined || (!token.inlineValue && token.value.startsWith("--"))) {
      problems.push(problem(definition, `has no value: expected --${definition.name} ${definition.value}`));
      // What is required was meant to be there: one message is enough.
      given.set(token.name, definition.fallback ?? "/");
    } else given.set(token.name, token.value);
  }
  return { given, words };
}

function problem(definition: OptionDefinition, message: string): Problem {
  return { place: null, path: "", message: `--${definition.name} ${message}` };
}

type Checked = { readonly value: Value } | { readonly expected: string; readonly advice: string };

function valueOf(text: string, kind: OptionKind, cwd: string): Checked {
  switch (kind.kind) {
    case "flag":
      return { value: true };
    case "path":
      return text === "" || text.includes("\0") ? wrong("a path") : { value: resolve(cwd, text) };
    case "choice":
      if (kind.choices.includes(text)) return { value: text };
      return wrong(`one of ${kind.choices.join(", ")}`, didYouMean(text, kind.choices));
    case "address": {
      const address = addressOf(text);
      return address === null
        ? wrong("HOST:PORT such as 0.0.0.0:8443 or [::1]:8443, the port from 0 to 65535")
        : { value: address };
    }
    case "url-path":
      if (/^(?:\/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+$/.test(text)) return { value: text };
      return wrong("the path of a URL such as /correlate/3f9c2a, without a query");
    case "text":
      return { value: text };
    case "web-url":
      return isWebUrl(text) ? { value: text } : wrong("a URL such as http://collector:4318, without a user or a query");
    case "share":
      if (/^(?:0|1|0?\.[0-9]{1,9}|1\.0{1,9})$/.test(text)) return { value: Number(text) };
      return wrong("a number from 0 to 1, such as 0.01");
    case "number":
      return numberOf(text, kind);
    case "bytes":
      return bytesOf(text, kind);
    default:
      return kind satisfies never;
  }
}

function isWebUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return false;
  return url.username === "" && url.password === "" && url.search === "" && url.hash === "" && !/[?#@]/.test(text);
}

function wrong(expected: string, advice = ""): Checked {
  return { expected, advice: advice === "" ? "" : `.${advice}` };
}

function numberOf(text: string, kind: Extract<OptionKind, { readonly kind: "number" }>): Checked {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= kind.from && value <= kind.to) return { value };
  return wrong(`a whole number${kind.unit === "" ? "" : ` of ${kind.unit}`} from ${kind.from} to ${kind.to}`);
}

const factors: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

function bytesOf(text: string, kind: Extract<OptionKind, { readonly kind: "bytes" }>): Checked {
  const match = /^([0-9]{1,15})(|k|M|G|T|Ki|Mi|Gi|Ti)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) * (factors[match[2] ?? ""] ?? Number.NaN);
  if (value >= kind.from && value <= kind.to) return { value };
  return wrong(`bytes from ${sizeText(kind.from)} to ${sizeText(kind.to)}, such as 64Mi`);
}

function addressOf(text: string): Address | null {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? null : { host, port };
}

function accessors(values: ReadonlyMap<string, Value>): Omit<ParsedOptions, "words"> {
  function get(name: string): Value {
    const value = values.get(name);
    if (value === undefined) throw new Error(`no option ${name} in the table`);
    return value;
  }
  function mismatch(name: string): never {
    throw new Error(`option ${name} is of another kind`);
  }
  return {
    text: (name) => {
      const value = get(name);
      return typeof value === "string" ? value : mismatch(name);
    },
    textOrNull: (name) => {
      const value = get(name);
      return value === null || typeof value === "string" ? value : mismatch(name);
    },
    number: (name) => {
      const value = get(name);
      return typeof value === "number" ? value : mismatch(name);
    },
    numberOrNull: (name) => {
      const value = get(name);
      return value === null || typeof value === "number" ? value : mismatch(name);
    },
    address: (name) => {
      const value = get(name);
      return typeof value === "object" && value !== null ? value : mismatch(name);
    },
    flag: (name) => get(name) === true,
  };
}
