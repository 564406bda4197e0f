/** Everything that JSON can hold, as text and as what a precise reader makes of it, with a taste for what breaks YAML. */

import * as fc from "fast-check";

const awkward = [
  "",
  " ",
  "~",
  "null",
  "Null",
  "NULL",
  "yes",
  "No",
  "ON",
  "off",
  "y",
  "N",
  "true",
  "FALSE",
  "0",
  "-1",
  "1.0",
  "1_000",
  "0o17",
  "017",
  "0x1F",
  "1e3",
  "1e+3",
  ".5",
  "5.",
  ".e+5",
  "e0",
  "E10",
  "-e5",
  "-e-5",
  ".inf",
  "-.INF",
  ".NaN",
  "190:20:30",
  "1:30.5",
  "2001-12-14",
  "2001-12-14t21:59:43.10-05:00",
  "<<",
  "=",
  "-",
  "- a",
  "--- a",
  "---",
  "...",
  "... a",
  "? a",
  "?",
  ":",
  ": a",
  "a: b",
  "a:",
  "a :b",
  "a #b",
  "a# b",
  "#a",
  "&a",
  "*a",
  "!a",
  "!!str a",
  "|",
  ">",
  "%TAG",
  "@a",
  "`a",
  "'a'",
  '"a"',
  'it\'s "x"',
  "[a]",
  "{a}",
  "a, b",
  "{{ .Values.a }}",
  "${A}",
  "$(A)",
  "-e",
  "--flag=1",
  "-1e3",
  "-inf",
  "100m",
  "1.5Gi",
  "1E",
  "10s",
  "50%",
  "1.25.3",
  "a\\b",
  "a\tb",
  "\ta",
  "a\n",
  "\na",
  "\n",
  "\n\n",
  "a\nb",
  "a\nb\n\n\n",
  "a\n  b\n",
  "  a\nb",
  "a \nb ",
  "a\n \nb",
  "a\n\t\n",
  "a\n\tb\n",
  "a\n ",
  "a\n \n",
  "a\n---\nb",
  "a\n# b\n...\n",
  "#a\nb\n",
  "a\r\nb",
  "a\u0085b\n",
  "a\u2028\nb",
  "\u2029",
  "\ufeffa",
  "a\ufeff\nb",
  "\u0000",
  "\u007f",
  "\u009b",
  "\u00a0a",
  "a\u00a0",
  "\ufffe",
  "\uffff",
  "\ud800",
  "\udc00a",
  "\ud800\ud800\udc00",
  "😀",
  "😀\n😀\n",
  "é",
  "日本\n語",
  "\u001b[31m",
  "a\u0007\nb",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "metadata",
  "name",
  "a".repeat(1001),
  "\u0001".repeat(300),
  "a b ".repeat(300) + "c",
];

const text: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...awkward),
  fc.string({
    unit: fc.constantFrom("a", "b", " ", "\n", "\t", "-", ":", "#", "'", '"', "\\", "1", ".", "\r", "\u0085", "|", ">"),
    maxLength: 12,
  }),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    maxLength: 4,
  }),
  fc
    .tuple(fc.constantFrom(...awkward), fc.constantFrom("", " ", "\n"), fc.constantFrom(...awkward))
    .map((parts) => parts.join("")),
);

/** Source texts of JSON numbers, each with its one canonical spelling of value kept apart by the tests. */
const number: fc.Arbitrary<string> = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }).map(String),
  fc.constantFrom(
    "-0",
    "0",
    "1.0",
    "0.5",
    "-0.50",
    "1e5",
    "1E5",
    "1e+21",
    "1.5e-7",
    "-2.5E10",
    "9007199254740993",
    "9007199254740991",
    "100000000000000000000",
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
);

export type Model =
  | null
  | boolean
  | string
  | { readonly number: string }
  | readonly Model[]
  | ReadonlyMap<string, Model>;

export const model: fc.Arbitrary<Model> = fc.letrec<{ value: Model; list: Model; map: Model }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    text as fc.Arbitrary<Model>,
    number.map((source) => ({ number: source })),
    fc.constantFrom<Model>(null, true, false),
    tie("list"),
    tie("map"),
  ),
  list: fc.array(tie("value"), { maxLength: 4 }),
  map: mapOf(tie("value")),
})).value;

export const mapModel: fc.Arbitrary<ReadonlyMap<string, Model>> = mapOf(model);

function mapOf(value: fc.Arbitrary<Model>): fc.Arbitrary<ReadonlyMap<string, Model>> {
  return fc.array(fc.tuple(text, value), { maxLength: 5 }).map((members) => new Map(members));
}

/** Members in the order of the map: a shuffled map is other text with the same content. */
export function jsonText(value: Model): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly Model[]).map(jsonText).join(",")}]`;
  if (isMap(value))
    return `{${[...value].map(([key, member]) => `${JSON.stringify(key)}:${jsonText(member)}`).join(",")}}`;
  return (value as { readonly number: string }).number;
}

export function isMap(value: Model): value is ReadonlyMap<string, Model> {
  return value instanceof Map;
}
