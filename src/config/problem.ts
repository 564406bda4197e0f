/** What is wrong with a configuration, and where. All problems are reported at once, not one per attempt. */

import { KubescribeError } from "../../machines/error.ts";

/** Line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem {
  /** Null where no file is at fault. */
  readonly place: Place | null;
  /** `spec.rules[0].resources`; empty for a whole document. */
  readonly path: string;
  /** What was expected, what was found, what to do. */
  readonly message: string;
}

const shownProblems = 20;

/** `rules.yaml:12:5: spec.url: expected ...` */
export function problemLine(problem: Problem): string {
  const { place, path, message } = problem;
  const parts = [place === null ? "" : `${place.file}:${place.line}:${place.column}`, path, message];
  return parts.filter((part) => part !== "").join(": ");
}

/** Wrong usage or configuration: exit code 2. One problem per line. */
export function configurationError(problems: readonly Problem[]): KubescribeError {
  const lines = problems.slice(0, shownProblems).map(problemLine);
  const rest = problems.length - lines.length;
  if (rest > 0) lines.push(`and ${rest} more`);
  return new KubescribeError("configuration-invalid", lines.join("\n"), { retry: "never" });
}

/** Text of others, fit for a message: quoted, control characters escaped, and short. */
export function quoted(text: string): string {
  const shortened = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return JSON.stringify(shortened).replaceAll(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
