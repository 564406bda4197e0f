import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import loadWabt from "wabt";

import { skipContainer, skipContainerModule, stageDocument } from "../../src/bytes/skip-container.ts";

function skipIn(text: string, start = 0): number {
  const bytes = Buffer.from(text);
  stageDocument(bytes, 0, bytes.length);
  return skipContainer(bytes, start, bytes.length);
}

test("the module is what its source says", async () => {
  const wabt = await loadWabt();
  const source = await readFile(new URL("../../src/bytes/skip-container.wat", import.meta.url), "utf8");
  const { buffer } = wabt.parseWat("skip-container.wat", source, { simd: true }).toBinary({});
  expect(skipContainerModule).toBe(Buffer.from(buffer).toString("base64"));
});

test.each([
  ["{}", 2],
  ["[]", 2],
  ["{} {}", 2],
  ['{"a":"}"}x', 9],
  ['{"a":"\\"}"}x', 11],
  ['{"a":"\\\\"}"}', 10],
  ['[[{"a":[]}],{}]]', 15],
  [`{"a":"${"x".repeat(200)}}"} `, 209],
  [`{"a":"${"\\\\".repeat(29)}\\"}"}`, 69],
])("ends %s at %i", (text, end) => {
  expect(skipIn(text)).toBe(end);
});

test.each(["{", '{"a', '{"a":"}', '{"a":"\\"}', "[[]", `[${" ".repeat(63)}`])("does not know where %s ends", (text) => {
  expect(skipIn(text)).toBe(0);
});

test("sees nothing that an earlier document left behind the end", () => {
  skipIn(`{"a":[${"]}".repeat(200)}`);
  expect(skipIn('{"a":[')).toBe(0);
  expect(skipIn(`{"a":"${"x".repeat(58)}`)).toBe(0);
});

test("answers for the staged document only, and for its first MiB", () => {
  const long = Buffer.from(`[${" ".repeat(1024 * 1024)}]`);
  stageDocument(long, 0, long.length);
  expect(skipContainer(long, 0, long.length)).toBe(0);
  expect(skipContainer(Buffer.from("[]"), 0, 2)).toBe(0);
  const inside = Buffer.from(`]]] {"a":1} ]`);
  stageDocument(inside, 4, inside.length);
  expect(skipContainer(inside, 4, inside.length)).toBe(11);
  expect(skipContainer(inside, 3, inside.length)).toBe(0);
});
