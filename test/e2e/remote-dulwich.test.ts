/**
 * dulwich, an implementation of Git that shares nothing with stock git. It advertises `atomic`, checks that no hook objects, and then
 * moves one ref after the other: one that somebody else moved meanwhile stays, and is reported as moved.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { RefUpdate } from "../../src/remote/remote.ts";
import { Dulwich } from "../remote/dulwich.ts";
import { opened, patient } from "../remote/opened.ts";
import { branch, git, makeRepository, type Place, Source, stateRef, temporaryPlace } from "../remote/repositories.ts";

let place: Place;
let source: Source;
let path = "";
let server: Dulwich;

beforeEach(async () => {
  place = temporaryPlace();
  source = new Source(join(place.path, "source.git"));
  path = makeRepository(join(place.path, "remote.git"));
  server = await Dulwich.start(path);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

const refsOf = (): Readonly<Record<string, string>> => {
  const lines = git(path, ["for-each-ref", "--format=%(refname) %(objectname)"]).split("\n");
  return Object.fromEntries(lines.map((line): [string, string] => [line.slice(0, -41), line.slice(-40)]));
};
const both = (from: readonly [string, string], to: readonly [string, string]): readonly RefUpdate[] => [
  { ref: branch, from: from[0], to: to[0] },
  { ref: stateRef, from: from[1], to: to[1] },
];
/** Somebody is faster, once: between what we read and what we send. */
const meanwhile = (ref: string, id: string): void => {
  const hook = join(path, "hooks", "pre-receive");
  git(path, ["unpack-objects", "-q"], source.bytes([id]));
  const script = `#!/bin/sh\ncat >/dev/null\nrm '${hook}'\ngit --git-dir='${path}' update-ref ${ref} ${id}\n`;
  writeFileSync(hook, script, { mode: 0o755 });
};

test("a branch and a state ref arrive", async () => {
  const [commit, state] = [source.commit(""), source.blob("state")];
  const updates = both(["", ""], [commit, state]);
  const result = await opened(server.url).push({ updates, pack: source.pack([commit, state]) }, patient);
  expect(result).toEqual({ kind: "pushed" });
  expect(refsOf()).toEqual({ [branch]: commit, [stateRef]: state });
  const next = source.commit(commit);
  const again = both([commit, state], [next, state]);
  expect(await opened(server.url).push({ updates: again, pack: source.pack([next], [commit]) }, patient)).toEqual({
    kind: "pushed",
  });
  expect(git(path, ["fsck", "--strict"])).toBe("");
});

test("a hook that declines is told, though no report follows its last word", async () => {
  writeFileSync(join(path, "hooks", "pre-receive"), "#!/bin/sh\ncat >/dev/null\necho not today >&2\nexit 1\n", {
    mode: 0o755,
  });
  const [commit, state] = [source.commit(""), source.blob("state")];
  const push = { updates: both(["", ""], [commit, state]), pack: source.pack([commit, state]) };
  expect(await opened(server.url).push(push, patient)).toMatchObject({
    kind: "rejected",
    error: { code: "remote-declined" },
  });
  expect(git(path, ["for-each-ref"])).toBe("");
});

test("a branch that stayed is not taken for moved, though the server says so and the state ref did", async () => {
  const [first, theirs] = [source.commit(""), source.commit("")];
  const states = [source.blob("state 1"), source.blob("state 2")] as const;
  const remote = opened(server.url);
  const start = { updates: both(["", ""], [first, states[0]]), pack: source.pack([first, states[0]]) };
  expect(await remote.push(start, patient)).toEqual({ kind: "pushed" });
  meanwhile(branch, theirs);
  const ours = source.commit(first);
  const push = { updates: both([first, states[0]], [ours, states[1]]), pack: source.pack([ours, states[1]], [first]) };
  const result = await remote.push(push, patient);
  // What it does: half of an atomic push.
  expect(refsOf()).toMatchObject({ [branch]: theirs, [stateRef]: states[1] });
  expect(result).toMatchObject({
    kind: "rejected",
    error: { code: "remote-stale" },
    found: new Map([
      [branch, theirs],
      [stateRef, states[1]],
    ]),
  });
});

test("having lied once it is asked for one ref at a time, the branch first", async () => {
  const [first, theirs] = [source.commit(""), source.commit("")];
  const states = ["1", "2", "3"].map((text) => source.blob(text)) as [string, string, string];
  const remote = opened(server.url);
  await remote.push({ updates: both(["", ""], [first, states[0]]), pack: source.pack([first, states[0]]) }, patient);
  meanwhile(branch, theirs);
  const ours = source.commit(first);
  await remote.push(
    { updates: both([first, states[0]], [ours, states[1]]), pack: source.pack([ours, states[1]], [first]) },
    patient,
  );
  // Built anew on theirs; and somebody is faster again.
  const fastest = source.commit("");
  meanwhile(branch, fastest);
  const rebuilt = source.commit(theirs);
  const push = {
    updates: both([theirs, states[1]], [rebuilt, states[2]]),
    pack: source.pack([rebuilt, states[2]], [theirs]),
  };
  expect(await remote.push(push, patient)).toMatchObject({ kind: "rejected", error: { code: "remote-stale" } });
  expect(refsOf()).toMatchObject({ [branch]: fastest, [stateRef]: states[1] });
});
