/** Rule documents that are read once: what a process would follow, and why it would not follow the rest. */

import { describe, expect, test } from "vitest";

import { readClusterDocuments } from "../../src/composition/read-cluster-documents.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { FakeApi } from "../kubernetes/fake-api.ts";

const metadata = { name: "a", namespace: "shop", uid: "u", resourceVersion: "5" };
const repository = { metadata, spec: { url: "https://git.example.com/a.git" } };
const rule = { metadata, spec: { repo: { name: "a" }, rules: [{ apiGroups: [""], resources: ["configmaps"] }] } };
const inner = { metadata: { ...metadata, name: "inner" }, spec: { url: "https://10.0.0.1/a.git" } };

function read(
  lists: Readonly<Record<string, readonly object[] | number>>,
  allow: readonly string[] = [],
): ReturnType<typeof readClusterDocuments> {
  const api = new FakeApi((path) => {
    const found = lists[/v1alpha1\/([a-z]+)/.exec(path)?.[1] ?? ""] ?? [];
    if (typeof found === "number") return { status: found, body: "{}" };
    return { body: JSON.stringify({ metadata: { resourceVersion: "9" }, items: found }) };
  });
  return readClusterDocuments({ api, clock: createSimulatedClock(), allow }, new AbortController().signal);
}

describe("the rule documents of a cluster", () => {
  test("are those that are followed, and the rule that records them", async () => {
    const { accepted, refused } = await read({ gitrepoconfigs: [repository, inner], watchrules: [rule] });
    expect(accepted.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "GitRepoConfig a",
      "WatchRule a",
      "WatchRule kubescribe",
    ]);
    expect(refused).toEqual([expect.stringMatching(/^GitRepoConfig shop\/inner is not followed: .*10\.0\.0\.1/)]);
    const allowed = await read({ gitrepoconfigs: [inner] }, ["https://10.0.0.1/"]);
    expect(allowed).toMatchObject({ accepted: [{ name: "inner" }, {}], refused: [] });
  });

  test("that are being deleted are none", async () => {
    const going = { ...repository, metadata: { ...metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
    await expect(read({ gitrepoconfigs: [going] })).rejects.toThrow("found: none that is followed");
  });

  test.each([403, 404])("that cannot be listed are said to be (%d)", async (status) => {
    await expect(read({ watchrules: status })).rejects.toMatchObject({
      code: "configuration-invalid",
      message: expect.stringContaining("the watchrules of the cluster cannot be listed") as string,
    });
  });
});
