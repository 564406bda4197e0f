import { expect, test } from "vitest";

import { covers, isCursor, joined, versionBefore } from "../../machines/cursor.ts";
import type { Cursor, ResourceVersion, Uid } from "../../machines/messages.ts";

const at = (version: number, epoch = 0): Cursor => ({ epoch, resourceVersion: String(version) as ResourceVersion });
const part = (version: number, ...uids: readonly string[]): Cursor => ({
  ...at(version),
  uids: uids as readonly Uid[],
});

test.each([
  [null, at(1), false],
  [at(9), at(10), false],
  [at(10), at(10), true],
  [at(11), at(10), true],
  [at(1, 1), at(10), true],
  [at(10), part(10, "a"), true],
  [part(10, "a"), at(10), false],
  [part(10, "a", "b"), part(10, "a"), true],
  [part(10, "a"), part(10, "a", "b"), false],
  [part(10, "a"), at(9), true],
])("%j covers %j: %s", (cursor, other, expected) => {
  expect(covers(cursor, other)).toBe(expected);
});

test.each([
  [null, part(10, "a"), part(10, "a")],
  [at(9), part(10, "a"), part(10, "a")],
  [part(10, "a"), at(9), part(10, "a")],
  [part(10, "a"), part(10, "b", "a"), part(10, "a", "b")],
  [part(10, "a"), at(10), at(10)],
  [at(10), part(10, "a"), at(10)],
])("%j and %j reach %j", (a, b, expected) => {
  expect(joined(a, b)).toEqual(expected);
});

test("what changed at a version comes again from the one before it; 0 would be any", () => {
  const before = (version: string) => versionBefore(version as ResourceVersion);
  expect(["100", "2", "1", "9007199254740993", "odd"].map(before)).toEqual(["99", "1", "1", "9007199254740992", "odd"]);
});

test.each([
  [at(10), true],
  [part(10, "a"), true],
  [{ epoch: 0, resourceVersion: "1x" }, false],
  [{ epoch: 0.5, resourceVersion: "1" }, false],
  [{ epoch: 0, resourceVersion: "1", uids: [1] }, false],
  [null, false],
])("%j is a cursor: %s", (value, expected) => {
  expect(isCursor(value)).toBe(expected);
});
