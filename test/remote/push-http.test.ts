/** Pushes to stock git's HTTP server. */

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { packMissing } from "../../actors/ports.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { packFile } from "../../src/remote/pack-file.ts";
import type { RefUpdate } from "../../src/remote/remote.ts";
import { HttpBackend } from "./http-backend.ts";
import { opened, patient } from "./opened.ts";
import { branch, git, makeRepository, type Place, Source, stateRef, temporaryPlace } from "./repositories.ts";

let place: Place;
let source: Source;
let backend: HttpBackend;
let server = "";
let name = "";
let count = 0;

beforeAll(async () => {
  place = temporaryPlace();
  source = new Source(join(place.path, "source.git"));
  backend = await HttpBackend.start({ root: place.path });
});
afterAll(async () => {
  await backend[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});
beforeEach(() => {
  count += 1;
  name = `remote-${count}.git`;
  server = makeRepository(join(place.path, name));
  backend.seen.length = 0;
});

const refsOf = (): string => git(server, ["for-each-ref", "--format=%(objectname) %(refname)"]);
const update = (ref: string, from: string, to: string): RefUpdate => ({ ref, from, to });

test("an empty remote gets a branch and a state ref in one request, and is read back", async () => {
  const commit = source.commit("");
  const state = source.blob("state");
  const remote = opened(backend.url(name));
  const updates = [update(branch, "", commit), update(stateRef, "", state)];
  expect(await remote.push({ updates, pack: source.pack([commit, state]) }, patient)).toEqual({ kind: "pushed" });
  expect(refsOf()).toBe(`${commit} ${branch}\n${state} ${stateRef}`);
  expect(git(server, ["fsck", "--strict"])).toBe("");
  expect(backend.seen.map(({ method }) => method)).toEqual(["GET", "POST", "GET"]);
  const [asked, sent, readBack] = backend.seen.map(({ port }) => port);
  expect(sent).toBe(asked);
  expect(readBack).not.toBe(sent);
});

test("a pack that is gone when it is read is told of as such, and nothing has moved", async () => {
  const commit = source.commit("");
  const path = join(place.path, "gone.pack");
  const fs = createNodeFileSystem();
  await expect(packFile(fs, path)).rejects.toMatchObject({ code: packMissing });
  writeFileSync(path, source.bytes([commit]));
  const pack = await packFile(fs, path);
  rmSync(path);
  const pushed = opened(backend.url(name)).push({ updates: [update(branch, "", commit)], pack }, patient);
  await expect(pushed).rejects.toMatchObject({ code: packMissing });
  expect(refsOf()).toBe("");
});

test("what stands there already is not sent again", async () => {
  const commit = source.commit("");
  const push = { updates: [update(branch, "", commit)], pack: source.pack([commit]) };
  const remote = opened(backend.url(name));
  await remote.push(push, patient);
  backend.seen.length = 0;
  expect(await remote.push(push, patient)).toEqual({ kind: "pushed" });
  expect(backend.seen.map(({ method }) => method)).toEqual(["GET"]);
});

test("a ref that somebody moved is stale, and nothing is sent", async () => {
  const [first, theirs] = [source.commit(""), source.commit("")];
  const remote = opened(backend.url(name));
  await remote.push({ updates: [update(branch, "", theirs)], pack: source.pack([theirs]) }, patient);
  const ours = source.commit(first);
  const result = await remote.push({ updates: [update(branch, first, ours)], pack: source.pack([ours]) }, patient);
  expect(result).toMatchObject({
    kind: "rejected",
    error: { code: "remote-stale" },
    found: new Map([[branch, theirs]]),
  });
  expect(backend.seen.filter(({ method }) => method === "POST")).toHaveLength(1);
});

test("a hook that declines is told in its own words, without what could forge a line of a log", async () => {
  const hook = String.raw`#!/bin/sh
cat >/dev/null
printf 'no pushes on \033[31mFridays\033[0m\nlevel=error forged\342\200\256\n' >&2
exit 1
`;
  writeFileSync(join(server, "hooks", "pre-receive"), hook, { mode: 0o755 });
  const commit = source.commit("");
  const result = await opened(backend.url(name)).push(
    { updates: [update(branch, "", commit)], pack: source.pack([commit]) },
    patient,
  );
  expect(result).toMatchObject({ kind: "rejected", error: { code: "remote-declined", retry: "backoff" } });
  const message = result.kind === "rejected" ? result.error.message : "";
  expect(message).toContain("no pushes on [31mFridays [0m level=error forged");
  expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(refsOf()).toBe("");
});
