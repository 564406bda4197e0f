/** Pushes to stock git's HTTP server. */

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { packMissing } from "../../actors/ports.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { packFile } from "../../src/remote/pack-file.ts";
import type { RefUpdate } from "../../src/remote/remote.ts";
import { opened, patient } from "./opened.ts";
import { branch, git, stateRef } from "./repositories.ts";
import { Served } from "./served.ts";

const served = Served.throughout();

const refsOf = (): string => git(served.path, ["for-each-ref", "--format=%(objectname) %(refname)"]);
const update = (ref: string, from: string, to: string): RefUpdate => ({ ref, from, to });

test("an empty remote gets a branch and a state ref in one request, and is read back", async () => {
  const commit = served.source.commit("");
  const state = served.source.blob("state");
  const remote = opened(served.url);
  const updates = [update(branch, "", commit), update(stateRef, "", state)];
  expect(await remote.push({ updates, pack: served.source.pack([commit, state]) }, patient)).toEqual({
    kind: "pushed",
  });
  expect(refsOf()).toBe(`${commit} ${branch}\n${state} ${stateRef}`);
  expect(git(served.path, ["fsck", "--strict"])).toBe("");
  expect(served.backend.seen.map(({ method }) => method)).toEqual(["GET", "POST", "GET"]);
  const [asked, sent, readBack] = served.backend.seen.map(({ port }) => port);
  expect(sent).toBe(asked);
  expect(readBack).not.toBe(sent);
});

test("a pack that is gone when it is read is told of as such, and nothing has moved", async () => {
  const commit = served.source.commit("");
  const path = join(served.root, "gone.pack");
  const fs = createNodeFileSystem();
  await expect(packFile(fs, path)).rejects.toMatchObject({ code: packMissing });
  writeFileSync(path, served.source.bytes([commit]));
  const pack = await packFile(fs, path);
  rmSync(path);
  const pushed = opened(served.url).push({ updates: [update(branch, "", commit)], pack }, patient);
  await expect(pushed).rejects.toMatchObject({ code: packMissing });
  expect(refsOf()).toBe("");
});

test("what stands there already is not sent again", async () => {
  const commit = served.source.commit("");
  const push = { updates: [update(branch, "", commit)], pack: served.source.pack([commit]) };
  const remote = opened(served.url);
  await remote.push(push, patient);
  served.backend.seen.length = 0;
  expect(await remote.push(push, patient)).toEqual({ kind: "pushed" });
  expect(served.backend.seen.map(({ method }) => method)).toEqual(["GET"]);
});

test("a ref that somebody moved is stale, and nothing is sent", async () => {
  const [first, theirs] = [served.source.commit(""), served.source.commit("")];
  const remote = opened(served.url);
  await remote.push({ updates: [update(branch, "", theirs)], pack: served.source.pack([theirs]) }, patient);
  const ours = served.source.commit(first);
  const result = await remote.push(
    { updates: [update(branch, first, ours)], pack: served.source.pack([ours]) },
    patient,
  );
  expect(result).toMatchObject({
    kind: "rejected",
    error: { code: "remote-stale" },
    found: new Map([[branch, theirs]]),
  });
  expect(served.backend.seen.filter(({ method }) => method === "POST")).toHaveLength(1);
});

test("a hook that declines is told in its own words, without what could forge a line of a log", async () => {
  const hook = String.raw`#!/bin/sh
cat >/dev/null
printf 'no pushes on \033[31mFridays\033[0m\nlevel=error forged\342\200\256\n' >&2
exit 1
`;
  writeFileSync(join(served.path, "hooks", "pre-receive"), hook, { mode: 0o755 });
  const commit = served.source.commit("");
  const result = await opened(served.url).push(
    { updates: [update(branch, "", commit)], pack: served.source.pack([commit]) },
    patient,
  );
  expect(result).toMatchObject({ kind: "rejected", error: { code: "remote-declined", retry: "backoff" } });
  const message = result.kind === "rejected" ? result.error.message : "";
  expect(message).toContain("no pushes on [31mFridays [0m level=error forged");
  expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(refsOf()).toBe("");
});
