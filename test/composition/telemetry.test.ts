/** A real process that tells all it can: one trace and one line for each change, and its metrics, to a receiver that is no collector of ours. */

import { join } from "node:path";
import { expect, test } from "vitest";

import { hash } from "node:crypto";
import { eventually } from "../controlplane/eventually.ts";
import { type Commit, readCommits } from "../e2e/history.ts";
import { HttpBackend } from "../remote/http-backend.ts";
import { makeRepository } from "../remote/repositories.ts";
import { OtlpReceiver } from "../telemetry/otlp-receiver.ts";
import type { SentSpan } from "../telemetry/otlp-messages.ts";
import { RunWorld } from "./run-world.ts";

/** As docs/METRICS.md says it. */
function traceIdOf({ epoch, uid, resourceVersion }: Commit): string {
  return hash("sha256", `${epoch === "" ? "0" : epoch}/${uid}/${resourceVersion}`, "hex").slice(0, 32);
}

function changesOf(commits: readonly Commit[]): readonly Commit[] {
  return commits.filter(({ kind, uid }) => kind === "" && uid !== "");
}

test("one trace and one line for each change, and the metrics", async () => {
  await using receiver = await OtlpReceiver.start();
  let repository = "";
  await using world = await RunWorld.start(async (directory, stack) => {
    const root = join(directory, "remotes");
    repository = makeRepository(join(root, "history.git"));
    const backend = stack.use(await HttpBackend.start({ root }));
    const args = ["--otlp-endpoint", receiver.endpoint, "--trace-ratio", "1", "--log-level", "debug"];
    return { dataDir: join(directory, "data"), url: backend.url("history.git"), repository, args };
  });
  await world.write(12);
  expect(await world.judge()).toEqual([]);
  const commits = changesOf(await readCommits(repository));
  expect(commits).toHaveLength(12);

  const spansOf = (commit: Commit): readonly SentSpan[] =>
    receiver.spans.filter(({ traceId }) => traceId === traceIdOf(commit));
  await eventually(() => (commits.every((commit) => spansOf(commit).length >= 6) ? true : undefined), {
    timeoutMs: 60_000,
    what: "six spans for each change",
  });
  for (const commit of commits) {
    const spans = spansOf(commit);
    expect(spans.map(({ name }) => name).toSorted()).toEqual(["actor", "change", "event", "flush", "push", "review"]);
    const [root] = spans.filter(({ name }) => name === "change");
    expect(root).toMatchObject({
      parentId: "",
      attributes: { "kubescribe.uid": commit.uid, "kubescribe.resource_version": commit.resourceVersion },
      resource: { "service.name": "kubescribe" },
    });
    const below = spans.filter(({ name }) => name !== "change");
    expect(below.every(({ parentId }) => parentId === root?.spanId)).toBe(true);
    expect(spans.every(({ startMs, endMs }) => endMs >= startMs)).toBe(true);
    const [flush] = spans.filter(({ name }) => name === "flush");
    expect(flush?.attributes["kubescribe.commit"]).toBe(commit.sha);
    const line = world.said.split("\n").filter((text) => text.includes(commit.sha));
    expect(line).toHaveLength(1);
    expect(JSON.parse(line[0] ?? "")).toMatchObject({
      level: "debug",
      message: "A change is committed.",
      resource: commit.resource,
      uid: commit.uid,
      resourceVersion: commit.resourceVersion,
      attribution: "exact",
      commit: commit.sha,
    });
  }
  expect(receiver.spans).toHaveLength(12 * 6);

  const hits = (): number => [...(receiver.metrics.get("watch_enrich_hits")?.points.values() ?? [])][0] ?? 0;
  await eventually(() => (hits() === 12 ? true : undefined), { what: "the metrics" });
  expect(receiver.metrics.get("process_resident_memory_bytes")?.points.get("")).toBeGreaterThan(10_000_000);
  expect(new Set(receiver.requests.map(({ path, type }) => `${path} ${type}`))).toEqual(
    new Set(["/v1/metrics application/x-protobuf", "/v1/traces application/x-protobuf"]),
  );
});

test("an endpoint that is not there costs nothing but a warning", async () => {
  const receiver = await OtlpReceiver.start();
  const { endpoint } = receiver;
  await receiver[Symbol.asyncDispose]();
  await using world = await RunWorld.start(async (directory) => {
    const repository = join(directory, "history.git");
    const args = ["--otlp-endpoint", endpoint, "--trace-ratio", "1"];
    return { dataDir: join(directory, "data"), url: `file://${repository}`, repository, args };
  });
  await world.write(6);
  expect(await world.judge()).toEqual([]);
  await world.says("The OTLP endpoint did not take what was sent");
  expect(await world.metric("otlp_exports_total")).toBeGreaterThan(0);
});
