/** From argv to the question that `who` is asked. */

import { whoOptionTable } from "../config/option-table.ts";
import { parseOptions } from "../config/parse-options.ts";
import { configurationError, quoted } from "../config/problem.ts";
import type { FieldPath } from "../fields/field-path.ts";
import { parseFieldPath } from "../fields/field-path.ts";

export interface WhoOptions {
  readonly resource: ResourceQuestion;
  /** Null: all changes are listed. */
  readonly field: FieldPath | null;
  /** Absolute. */
  readonly directory: string;
  readonly branch: string;
  /** How the uid begins; empty: any. */
  readonly cluster: string;
  /** Directory of a target; null: any. */
  readonly path: string | null;
  /** Changes; 0 is all. */
  readonly limit: number;
  readonly json: boolean;
}

export interface ResourceQuestion {
  /** As kubectl takes it: `deploy`, `deployments.apps`. */
  readonly type: string;
  readonly name: string;
  /** Of a namespaced type. */
  readonly namespace: string;
}

/** `cwd`: what relative paths are relative to. Throws a KubescribeError (`configuration-invalid`). */
export function parseWhoOptions(argv: readonly string[], cwd: string): WhoOptions {
  const parsed = parseOptions(argv, { table: whoOptionTable, cwd, takesWords: true });
  const { type, name, rest } = resourceIn(parsed.words);
  if (rest.length > 1) throw wrong(`expected one field path after the resource, found ${rest.map(quoted).join(" ")}`);
  return {
    resource: { type, name, namespace: parsed.text("namespace") },
    field: rest[0] === undefined ? null : fieldIn(rest[0]),
    directory: parsed.textOrNull("repository") ?? cwd,
    branch: parsed.text("branch"),
    cluster: parsed.textOrNull("cluster") ?? "",
    path: parsed.textOrNull("path")?.replaceAll(/^\/+|\/+$/g, "") ?? null,
    limit: parsed.number("limit"),
    json: parsed.flag("json"),
  };
}

/** A name may hold a slash only where none can: kubectl splits at the first one. */
function resourceIn(words: readonly string[]): {
  readonly type: string;
  readonly name: string;
  readonly rest: readonly string[];
} {
  const [first = "", ...others] = words;
  const slash = first.indexOf("/");
  const type = slash < 0 ? first : first.slice(0, slash);
  const name = slash < 0 ? (others[0] ?? "") : first.slice(slash + 1);
  const rest = slash < 0 ? others.slice(1) : others;
  if (type === "" || name === "" || /^[.[{]/.test(type)) {
    const found = words.length === 0 ? "nothing" : words.map(quoted).join(" ");
    throw wrong(`expected TYPE/NAME such as deployment/web, and a field of it if you like, found ${found}`);
  }
  return { type, name, rest };
}

function fieldIn(text: string): FieldPath | null {
  const parsed = parseFieldPath(text);
  if ("expected" in parsed) throw wrong(`expected ${parsed.expected}, found ${quoted(text)}`);
  return parsed.path;
}

function wrong(message: string): Error {
  return configurationError([{ place: null, path: "", message }]);
}
