import { describe, expect, it } from "vitest";
import { blockString, keyString } from "../../src/sanitize/yaml-scalar.ts";

const plain = [
  "web",
  "nginx:1.25",
  "/bin/sh",
  "--flag=1",
  "-c",
  "100m",
  "1.5Gi",
  "30s",
  "25%",
  "$(POD_NAME)",
  "a b",
  "it's",
  ".dockerconfigjson",
  "yesterday",
  "a#b",
  "system:node",
];
const quotedText = [
  "yes",
  "No",
  "y",
  "N",
  "on",
  "OFF",
  "null",
  "~",
  "",
  "1",
  "0x1F",
  "0o7",
  "1e3",
  "e5",
  "-E10",
  "1_000",
  "1:30",
  "2001-12-14",
  ".inf",
  "-.INF",
  ".NaN",
  "<<",
  "=",
  "1.25.3",
  " a",
  "a ",
  "a  b",
  "a: b",
  "a:",
  "a #b",
  "# a",
  "- a",
  "? a",
  "&a",
  "*a",
  "!a",
  "%a",
  "@a",
  "`a",
  "[a",
  "{a",
  "|",
  ">",
  "---",
  "...",
  "é",
  "a\tb",
];
const blocks: readonly (readonly [string, string])[] = [
  ["a\n", "|\n    a"],
  ["a\nb", "|-\n    a\n    b"],
  ["a\n\n\n", "|+\n    a\n\n"],
  ["a\n\n  b \n\tc\n", "|\n    a\n\n      b \n    \tc"],
  ["---\n# é 😀\n", "|\n    ---\n    # é 😀"],
];
const escaped: readonly (readonly [string, string])[] = [
  ["  a\nb\n", String.raw`"  a\nb\n"`],
  ["\na\n", String.raw`"\na\n"`],
  ["a\n  ", String.raw`"a\n  "`],
  ["a\r\nb\n", String.raw`"a\r\nb\n"`],
  ["a\u0085b\u2028\n", String.raw`"a\u0085b\u2028\n"`],
  ["\ufeff\0\u001b\ud800", String.raw`"\uFEFF\0\u001B\uD800"`],
  ['"a\\b"', String.raw`'"a\b"'`],
  [`"it's"`, `'"it''s"'`],
  ['"\u2029', String.raw`"\"\u2029"`],
];

describe("a string in YAML", () => {
  for (const text of plain) it(`is plain: ${text}`, () => expect(keyString(text)).toBe(text));
  for (const text of quotedText)
    it(`is quoted: ${JSON.stringify(text)}`, () => expect(keyString(text)).toMatch(/^"[^]*"$/));
  for (const [text, yaml] of blocks)
    it(`is a block: ${JSON.stringify(text)}`, () => expect(blockString(text, "  ")).toBe(yaml));
  for (const [text, yaml] of escaped)
    it(`keeps ${JSON.stringify(text)} as ${yaml}`, () => expect(blockString(text, "")).toBe(yaml));
});
