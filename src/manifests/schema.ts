/**
 * Pieces of the schemas of custom resources, so that they refuse what src/config refuses in files, in the same words. Lengths and
 * counts have bounds here, generous ones, because the API server reckons what a rule may cost at most.
 */

import type { Template } from "./template.ts";

export type Schema = { readonly [key: string]: Template };

export interface Rule {
  /** CEL. */
  readonly rule: string;
  /** What was expected; the API server says what it found. */
  readonly message: string;
  /** The value is not repeated: it may be a secret. */
  readonly secret?: boolean;
}

export function text(
  description: string,
  rules: readonly Rule[],
  options: { readonly maxLength: number } & Schema,
): Schema {
  return { type: "string", description, ...options, ...validations(rules) };
}

export function list(description: string, items: Schema, options: { readonly maxItems: number } & Schema): Schema {
  return { type: "array", description, "x-kubernetes-list-type": "atomic", ...options, items };
}

export function map(
  description: string,
  properties: Readonly<Record<string, Schema>>,
  options: { readonly required?: readonly string[]; readonly rules?: readonly Rule[] } = {},
): Schema {
  const { required = [], rules = [] } = options;
  return {
    type: "object",
    description,
    ...(required.length === 0 ? {} : { required }),
    properties,
    ...validations(rules),
  };
}

/** RFC 1123, as src/config reads names; short, because each character of an expression costs. */
const label = "[a-z0-9]+(-+[a-z0-9]+)*";
const subdomain = String.raw`[a-z0-9]+((-+|\.)[a-z0-9]+)*`;
const qualified = "[A-Za-z0-9]+([-_.]+[A-Za-z0-9]+)*";

/** CEL that holds for a Kubernetes name, a namespace's, the key and the value of a label; their lengths are bounded elsewhere. */
export const isName = (word: string): string => `${word}.matches(r'^${subdomain}$')`;
export const isNamespace = (word: string): string => `${word}.matches(r'^${label}$')`;
export const isLabelKey = (word: string): string =>
  `${word}.matches(r'^(${subdomain}/)?${qualified}$') && !${word}.matches(r'[^/]{64}$')`;
export const isLabelValue = (word: string): string => `${word} == '' || ${word}.matches(r'^${qualified}$')`;

export const nameLength = 253;
export const namespaceLength = 63;
export const labelLength = 63;
export const labelKeyLength = 317;

export function name(description: string): Schema {
  return text(description, [{ rule: isName("self"), message: nameExpected }], { maxLength: nameLength });
}

export function namespace(description: string): Schema {
  const expected = "expected a namespace's name (lower-case letters, digits and -)";
  return text(description, [{ rule: isNamespace("self"), message: expected }], { maxLength: namespaceLength });
}

const nameExpected = "expected a Kubernetes name (lower-case letters, digits, - and .)";

function validations(rules: readonly Rule[]): Schema {
  if (rules.length === 0) return {};
  return {
    "x-kubernetes-validations": rules.map(({ rule, message, secret = false }) => ({
      rule,
      message,
      ...(secret ? { reason: "FieldValueForbidden" } : {}),
    })),
  };
}
