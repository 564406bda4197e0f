import { expect, test } from "vitest";

import { WordsBuffer, wordsOf } from "../../src/remote/words.ts";

test.each([
  ["plain words", "plain words"],
  ["  two\r\nlines\t", "two lines"],
  ["\u001b[31mred\u001b[0m", "[31mred [0m"],
  ["turned\u202Earound\u2066", "turned around"],
  ["a\u2028b\u0085c\u0000d\u007Fe\u200Bf\uFEFFg", "a b c d e f g"],
  ["half a pair \uD83D", "half a pair"],
  ["Zoë 李 😀", "Zoë 李 😀"],
])("%j is told as %j", (said, told) => {
  expect(wordsOf(said, [])).toBe(told);
});

test("a secret is cut out wherever it stands, and an empty one nowhere", () => {
  expect(wordsOf("url https://bot:s3cret@host, s3cret", ["", "s3cret"])).toBe("url https://bot:***@host, ***");
});

test("words are as long as a log can bear", () => {
  expect(wordsOf("x".repeat(500), [])).toBe("x".repeat(500));
  expect(wordsOf("x".repeat(501), [])).toBe(`${"x".repeat(500)}...`);
  expect(wordsOf(`${"x".repeat(499)}😀😀`, []).isWellFormed()).toBe(true);
});

test("of what a hook prints only the beginning is kept", () => {
  const words = new WordsBuffer();
  const chunk = Buffer.alloc(1000, "x");
  for (let index = 0; index < 100; index++) words.add(chunk);
  // What was given is the transport's own, and used again.
  chunk.fill("y");
  expect(words.text).toBe("x".repeat(8192));
});
