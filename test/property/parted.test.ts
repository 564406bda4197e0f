import fc from "fast-check";
import { expect, test } from "vitest";
import { parted } from "../../src/git/clone/parted.ts";
import { check, suite } from "./check.ts";

suite("parts", () => {
  test("are all of it in order, as few as the limit allows, and over it only where one item is", () => {
    check(
      fc.property(fc.array(fc.nat(20)), fc.integer({ min: 1, max: 30 }), (items, limitBytes) => {
        const parts = parted(items, { bytesOf: (bytes) => bytes, limitBytes });
        const sumOf = (part: readonly number[]): number => part.reduce((sum, bytes) => sum + bytes, 0);
        expect(parts.flat()).toEqual(items);
        for (const [at, part] of parts.entries()) {
          expect(part.length).toBeGreaterThan(0);
          if (part.length > 1) expect(sumOf(part)).toBeLessThanOrEqual(limitBytes);
          const [next] = parts[at + 1] ?? [];
          if (next !== undefined) expect(sumOf(part) + next).toBeGreaterThan(limitBytes);
        }
      }),
    );
  });
});
