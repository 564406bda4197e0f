import { describe, expect, test } from "vitest";
import { createLog, type LogOptions } from "../../src/telemetry/log.ts";

function logged(options: Partial<LogOptions>, write: (log: ReturnType<typeof createLog>) => void): string {
  let text = "";
  const clock = { nowMs: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) };
  const defaults: LogOptions = { clock, level: "info", format: "json", colour: false, write: (line) => (text += line) };
  write(createLog({ ...defaults, ...options }));
  return text;
}

const hostile = 'mallory\n{"level":"info"}\u001b[31m\u2028\u202e\u0085';

describe("the log", () => {
  test("writes one JSON object per line", () => {
    const line = logged({}, (log) => log.warn("A file is missing.", { file: "a b", count: 2, level: "x" }));
    expect(line.endsWith("\n")).toBe(true);
    expect(JSON.parse(line)).toEqual({
      time: "2026-01-02T03:04:05.678Z",
      level: "warn",
      message: "A file is missing.",
      file: "a b",
      count: 2,
      field_level: "x",
    });
  });

  test("writes lines for people", () => {
    expect(logged({ format: "human" }, (log) => log.info("Started.", { at: "host:1", why: "no reason" }))).toBe(
      '03:04:05.678 info  Started. at=host:1 why="no reason"\n',
    );
  });

  test("leaves out what is below its level", () => {
    expect(logged({ level: "warn" }, (log) => log.info("no"))).toBe("");
    expect(logged({ level: "debug" }, (log) => log.debug("yes"))).not.toBe("");
  });

  test.each(["json", "human"] as const)("a hostile name forges no %s line and no colour", (format) => {
    const text = logged({ format }, (log) => log.error(`No ${hostile}`, { user: hostile }));
    expect(text.trimEnd().split(/[\n\r\u0085\u2028\u2029]/)).toHaveLength(1);
    expect(text.trimEnd()).not.toMatch(/[\p{Cc}\u202e]/u);
    if (format === "json") expect(JSON.parse(text)).toMatchObject({ user: hostile });
  });

  test("shortens what is endless", () => {
    expect(logged({}, (log) => log.info("x".repeat(100_000))).length).toBeLessThan(3000);
  });
});
