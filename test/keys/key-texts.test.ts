/** Which texts of a Secret are keys, and which of them stay where there is no room for all. */

import { describe, expect, test } from "vitest";

import { keysIn, withRoomFor } from "../../src/keys/key-texts.ts";

const nameOf = (digit: number): string => `sops-${String(digit).repeat(32)}.json`;
const enc = `-----BEGIN AGE ENCRYPTED FILE-----\n${"A".repeat(400)}\n-----END AGE ENCRYPTED FILE-----\n`;
const wrapped = (day: number): string =>
  JSON.stringify({ createdAt: `2026-01-0${day}T00:00:00Z`, recipients: [{ recipient: "age1x", enc }] });
const key = `${"a".repeat(64)}\n`;

describe("texts of a Secret", () => {
  test("are keys by their names, where anything stands there", () => {
    const texts = { "installation.key": key, [nameOf(1)]: "", [nameOf(2)]: "anything", note: "x", "sops-1.json": "x" };
    expect(keysIn(texts)).toEqual({ "installation.key": key, [nameOf(2)]: "anything" });
  });

  test("all stay where there is room", () => {
    const texts = { "installation.key": key, note: "x", [nameOf(1)]: wrapped(1) };
    expect(withRoomFor(texts, { [nameOf(2)]: wrapped(2) }, { used: new Set(), limitBytes: 10_000 })).toEqual({
      ...texts,
      [nameOf(2)]: wrapped(2),
    });
  });

  test("go by their age where there is none, but for those that are used or no data keys", () => {
    const texts = {
      "installation.key": key,
      note: "x",
      [nameOf(3)]: wrapped(3),
      [nameOf(1)]: wrapped(1),
      [nameOf(2)]: wrapped(2),
    };
    const added = { [nameOf(4)]: wrapped(4) };
    const room = { used: new Set([nameOf(1)]), limitBytes: 1900 };
    expect(Object.keys(withRoomFor(texts, added, room) ?? {}).toSorted()).toEqual(
      ["installation.key", "note", nameOf(1), nameOf(3), nameOf(4)].toSorted(),
    );
    expect(withRoomFor(texts, added, { ...room, limitBytes: 900 })).toBeNull();
  });
});
