import { describe, expect, test } from "vitest";
import type { Change } from "../../machines/messages.ts";
import { createChangeLog } from "../../src/telemetry/change-log.ts";
import { createLog, type Level } from "../../src/telemetry/log.ts";
import { committedChange, flushOf } from "./changes.ts";

function linesOf(changes: readonly Change[], level: Level = "debug"): readonly string[] {
  let text = "";
  const write = (line: string): void => void (text += line);
  const log = createLog({ clock: { nowMs: () => 0 }, level, format: "json", colour: false, write });
  createChangeLog(log).committed(flushOf(changes));
  return text.split("\n").slice(0, -1);
}

describe("a line for each committed change", () => {
  test("has its resource, uid, resourceVersion and commit", () => {
    const [line = "", ...others] = linesOf([committedChange({ version: 7 })]);
    expect(others).toEqual([]);
    expect(JSON.parse(line)).toEqual({
      time: "1970-01-01T00:00:00.000Z",
      level: "debug",
      message: "A change is committed.",
      target: "default/history",
      resource: "core/v1/configmaps default/a",
      uid: "uid-a",
      resourceVersion: "7",
      operation: "UPDATE",
      attribution: "exact",
      commit: "commit-7",
    });
  });

  test("is one line, whatever an object is called, and says nothing of what is in it", () => {
    const name = 'a\n{"level":"error","message":"forged"}\u2028\u202e';
    const secret = new TextEncoder().encode('{"data":{"password":"aHVudGVyMg=="}}');
    const lines = linesOf([{ ...committedChange({ version: 7, name, user: "mallory" }), bytes: secret }]);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "debug",
      resource: `core/v1/configmaps default/${name}`,
    });
    expect(lines[0]).not.toMatch(/aHVudGVyMg|mallory|\u2028|\u202e/);
  });

  test("names cluster-scoped resources, and epochs after a restore", () => {
    const { type } = committedChange({ version: 7 });
    const role = { ...type, group: "rbac.authorization.k8s.io", resource: "clusterroles" };
    const [line = ""] = linesOf([{ ...committedChange({ version: 7 }), type: role, namespace: "", epoch: 2 }]);
    expect(JSON.parse(line)).toMatchObject({ resource: "rbac.authorization.k8s.io/v1/clusterroles a", epoch: 2 });
  });

  test("is not there above debug", () => {
    expect(linesOf([committedChange({ version: 7 })], "info")).toEqual([]);
  });
});
