import { expect, test } from "vitest";
import { isoTime, localTime } from "../../src/commands/who-time.ts";

test.each([0, 1_700_000_000, 1_720_000_001])("second %i is the same in both ways to write it", (second) => {
  const [day = "", time = "", zone = ""] = localTime(second).split(" ");
  expect(Date.parse(`${day}T${time}${zone}`)).toBe(second * 1000);
  expect(Date.parse(isoTime(second))).toBe(second * 1000);
  expect(isoTime(second)).toMatch(/^[\dT:-]{19}Z$/);
});
