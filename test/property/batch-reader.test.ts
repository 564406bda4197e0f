/** What `git cat-file --batch` prints, in whatever pieces it comes. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchReader } from "../../src/git/clone/batch-reader.ts";
import { check, suite } from "./check.ts";

const limitBytes = 24;
/** Null: git has no such object. */
const body = fc.option(
  fc.uint8Array({ maxLength: 40, size: "max" }).map((bytes) => Buffer.from(bytes)),
  { freq: 5 },
);

function printed(bodies: readonly (Buffer | null)[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((bytes, at) =>
      bytes === null
        ? [Buffer.from(`${idOf(at)} missing\n`)]
        : [Buffer.from(`${idOf(at)} blob ${bytes.length}\n`), bytes, Buffer.from("\n")],
    ),
  );
}

function idOf(at: number): string {
  return at.toString(16).padStart(40, "0");
}

suite("objects that git prints", () => {
  test("are all there, but for those that are missing or too large", () => {
    check(
      fc.property(fc.array(body), fc.integer({ min: 1, max: 90 }), (bodies, pieceBytes) => {
        const reader = new BatchReader({ limitBytes });
        const output = printed(bodies);
        for (let at = 0; at < output.length; at += pieceBytes) reader.push(output.subarray(at, at + pieceBytes));
        const expected = bodies.flatMap((bytes, at) =>
          bytes === null || bytes.length > limitBytes ? [] : [[idOf(at), bytes] as const],
        );
        expect([...reader.objects]).toEqual(expected);
      }),
      { runs: 500 },
    );
  });
});
