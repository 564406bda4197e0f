/** A field of an object, as kubectl's JSONPath names it: `.spec.replicas`, `.metadata.labels["app.kubernetes.io/name"]`. */

/** A key of a map, a place in a list, or the item of a list that has this name. */
export type FieldStep = string | number | { readonly name: string };
export type FieldPath = readonly FieldStep[];

export type ParsedPath = { readonly path: FieldPath } | { readonly expected: string };

const example =
  'a path such as .spec.replicas, .spec.containers[0].image or .metadata.labels["app.kubernetes.io/name"]';

/**
 * A dot in a key is `\.`, or the key stands in brackets and quotes; an item is `[0]` or `[?(@.name=="web")]`. `.` alone is the whole object, the
 * braces of JSONPath and the first dot may be left out.
 */
export function parseFieldPath(text: string): ParsedPath {
  const trimmed = text.trim();
  const inner = /^\{(.*)\}$/s.exec(trimmed)?.[1] ?? trimmed;
  const rest = inner.startsWith("$") ? inner.slice(1) : inner;
  if (rest === "" || rest === ".") return rest === "" ? { expected: example } : { path: [] };
  const steps: FieldStep[] = [];
  let left = /^[.[]/.test(rest) ? rest : `.${rest}`;
  while (left !== "") {
    const found = stepAt(left);
    if (found === null) return { expected: example };
    steps.push(found.step);
    left = left.slice(found.length);
  }
  return { path: steps };
}

interface FoundStep {
  readonly step: FieldStep;
  readonly length: number;
}

const keyStep = /^\.((?:[^.[\]\\]|\\.)+)/su;
const indexStep = /^\[(\d{1,9})\]/;
const doubleQuotedStep = /^\.?\[("(?:[^"\\]|\\.)*")\]/su;
const singleQuotedStep = /^\.?\['((?:[^'\\]|\\.)*)'\]/su;
const nameStep = /^\[\?\(\s*@\.name\s*==\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*\)\]/su;

function stepAt(text: string): FoundStep | null {
  const key = keyStep.exec(text);
  if (key !== null) return { step: unescaped(key[1] ?? ""), length: key[0].length };
  const index = indexStep.exec(text);
  if (index !== null) return { step: Number(index[1]), length: index[0].length };
  const single = singleQuotedStep.exec(text);
  if (single !== null) return { step: unescaped(single[1] ?? ""), length: single[0].length };
  const double = doubleQuotedStep.exec(text);
  if (double !== null) return withText(double[0], double[1], (key) => key);
  const name = nameStep.exec(text);
  return name === null ? null : withText(name[0], name[1], (name) => ({ name }));
}

function withText(found: string, literal: string | undefined, stepOf: (text: string) => FieldStep): FoundStep | null {
  const text = literalText(literal ?? "");
  return text === null ? null : { step: stepOf(text), length: found.length };
}

function literalText(literal: string): string | null {
  if (literal.startsWith("'")) return unescaped(literal.slice(1, -1));
  try {
    return JSON.parse(literal) as string;
  } catch {
    return null;
  }
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gsu, "$1");
}

const plainKey = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** As `parseFieldPath` reads it. */
export function fieldPathText(path: FieldPath): string {
  return path.length === 0 ? "." : path.map(stepText).join("");
}

function stepText(step: FieldStep): string {
  if (typeof step === "number") return `[${step}]`;
  if (typeof step === "object") return `[?(@.name==${JSON.stringify(step.name)})]`;
  return plainKey.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}
