import { describe, expect, test } from "vitest";

import { maxJsonDepth, skipValue } from "../../src/bytes/json-scan.ts";

const nested = (depth: number): Buffer => Buffer.from(`${'{"a":['.repeat(depth / 2)}1${"]}".repeat(depth / 2)}`);

describe("depth", () => {
  test("the deepest object that the API server takes is skipped", () => {
    const bytes = nested(maxJsonDepth);
    expect(skipValue(bytes, 0, bytes.length)).toBe(bytes.length);
  });

  test("a deeper one is refused", () => {
    const bytes = nested(maxJsonDepth + 2);
    expect(() => skipValue(bytes, 0, bytes.length)).toThrow(
      expect.objectContaining({ code: "json-too-deep", retry: "never" }),
    );
  });

  test("a megabyte of opening brackets is refused", () => {
    const bytes = Buffer.alloc(1 << 20, "[");
    expect(() => skipValue(bytes, 0, bytes.length)).toThrow(expect.objectContaining({ code: "json-too-deep" }));
  });
});

test("a failure says where and what to do", () => {
  const bytes = Buffer.from('{"a":tru}');
  expect(() => skipValue(bytes, 0, bytes.length)).toThrow(/expected true at byte 5.*must send valid/);
});
