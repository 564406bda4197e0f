/** The same question in every state that a clone may be in. */

import { readdirSync, renameSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { nodeGit } from "../../src/composition/node-git.ts";
import { changed, configmaps, runGit, verdictBy } from "../git/fixtures.ts";
import { web, webSnapshot, WhoWorld } from "./who-world.ts";

const shop = ["deployment/web", "-n", "shop"];
const questions = [shop, [...shop, ".spec.replicas"], [...shop, ".spec.template", "--json"], ["cm/other"]];

async function history(): Promise<WhoWorld> {
  const world = new WhoWorld();
  await world.record([webSnapshot(5), web({ version: 6 }, { replicas: 2 })]);
  await world.record([web({ version: 7, verdict: verdictBy("bob") }, { replicas: 2, images: { web: "web:2" } })]);
  // A change is alike the one before it: gc makes deltas of commits, trees and files.
  for (let version = 8; version < 40; version++)
    await world.record([web({ version }, { replicas: version, images: { web: "web:2" } })]);
  await world.record([changed({ type: configmaps, version: 50, name: "other", operation: "CREATE", content: "{}" })]);
  return world;
}

test("a clone, a bare one, a work tree's subdirectory, a linked work tree and a collected repository answer the same", async () => {
  using world = await history();
  const plain = world.beside("plain");
  const bare = world.beside("bare.git");
  const linked = world.beside("linked");
  runGit(world.repository, ["clone", "-q", world.repository, plain]);
  runGit(world.repository, ["clone", "-q", "--bare", "--no-local", world.repository, bare]);
  runGit(plain, ["worktree", "add", "-q", "--detach", linked]);
  const places = [plain, `${plain}/clusters/prod/shop`, bare, linked, world.repository];
  const answers = await Promise.all(questions.map((question) => world.ask(question)));
  expect(answers.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  world.git("gc", "-q", "--aggressive", "--prune=now");
  const [pack = ""] = readdirSync(`${world.repository}/objects/pack`).filter((name) => name.endsWith(".idx"));
  expect(world.git("verify-pack", "-v", `objects/pack/${pack}`)).toMatch(/ commit +\d+ \d+ \d+ [1-9]\d* [0-9a-f]{40}/);
  for (const cwd of places) {
    for (const [at, question] of questions.entries()) {
      const answer = await world.ask(question, { cwd, cache: world.beside("none") });
      const repository = /"repository": .*/;
      expect({ ...answer, out: answer.out.replace(repository, "") }).toEqual({
        ...answers[at],
        out: answers[at]?.out.replace(repository, ""),
      });
    }
  }
});

test("a shallow clone says what it cannot know, and knows it once the rest is there", async () => {
  using world = await history();
  const shallow = world.beside("shallow");
  runGit(world.repository, ["clone", "-q", "--depth", "20", `file://${world.repository}`, shallow]);
  const list = await world.ask([...shop, "-L", "0"], { cwd: shallow });
  expect(list.out).toContain("what it changed is not known: the clone is shallow, and ends here\n");
  expect(list.out).toContain("\nThis clone is shallow: git fetch --unshallow brings what is older.\n");
  const older = [...shop, ".spec.template.spec.containers[0].image"];
  const unknown = await world.ask(older, { cwd: shallow });
  expect(unknown).toMatchObject({ code: 1 });
  expect(unknown.out).toContain("This clone is shallow, and does not reach back to who set it");
  expect((await world.ask([...shop, ".spec.replicas"], { cwd: shallow })).out).toContain("38 -> 39");
  expect((await world.ask(["cm/none"], { cwd: shallow })).error).toContain(
    "; this clone is shallow: git fetch --unshallow",
  );
  runGit(shallow, ["fetch", "-q", "--unshallow"]);
  const known = await world.ask(older, { cwd: shallow });
  expect(known).toEqual(await world.ask(older));
  expect(known.out).toContain("  bob  ");
});

test("a shallow clone of the very commit says so much", async () => {
  using world = await history();
  const shallow = world.beside("shallow");
  runGit(world.repository, ["clone", "-q", "--depth", "2", `file://${world.repository}`, shallow]);
  const { code, out } = await world.ask([...shop, ".spec.replicas"], { cwd: shallow });
  expect(code).toBe(1);
  expect(out).toContain("This clone is shallow, and does not reach back to who set it");
  expect(out).not.toContain("no such field");
});

test("a clone without contents says so, and asks no remote for them", async () => {
  using world = await history();
  world.git("config", "uploadpack.allowFilter", "true");
  const partial = world.beside("partial.git");
  runGit(world.repository, ["clone", "-q", "--bare", "--filter=blob:none", `file://${world.repository}`, partial]);
  const missing = world.git("rev-parse", "main~5:clusters/prod/shop/apps/deployments/web.yaml");
  expect(await nodeGit(partial)(["cat-file", "-e", missing])).not.toMatchObject({ code: 0 });
  const list = await world.ask(shop, { cwd: partial });
  expect(list).toMatchObject({ code: 0 });
  expect(list.out).toContain("which fields changed cannot be told");
  const field = await world.ask([...shop, ".spec.replicas"], { cwd: partial });
  expect(field).toMatchObject({ code: 1 });
  expect(field.out).toContain("(git fetch --refetch --no-filter brings all)");
  expect(field.out).not.toContain("no such field");
});

test("a clone without directories is refused, and told how to get them", async () => {
  using world = await history();
  world.git("config", "uploadpack.allowFilter", "true");
  const partial = world.beside("partial.git");
  runGit(world.repository, ["clone", "-q", "--bare", "--filter=tree:0", `file://${world.repository}`, partial]);
  const { code, error } = await world.ask(shop, { cwd: partial });
  expect(code).toBe(1);
  expect(error).toContain(
    "--filter=tree:0, and has no directories: git fetch --refetch --filter=blob:none brings them",
  );
});

test("the directory that was asked for is meant, whatever repository the environment names", async () => {
  using world = await history();
  using other = new WhoWorld();
  await other.record([webSnapshot(5)]);
  vi.stubEnv("GIT_DIR", other.repository);
  vi.stubEnv("GIT_ICASE_PATHSPECS", "1");
  try {
    expect((await world.ask([...shop, ".spec.replicas"])).out).toContain("38 -> 39");
  } finally {
    vi.unstubAllEnvs();
  }
});

test("no directory, and no git, are two things", async () => {
  using world = await history();
  const none = await world.ask(shop, { cwd: world.beside("none") });
  expect(none).toMatchObject({ code: 2 });
  expect(none.error).toContain("there is no directory /");
  const file = await world.ask([...shop, "--repository", `${world.repository}/HEAD`]);
  expect(file).toMatchObject({ code: 2 });
  expect(file.error).toContain("there is no directory /");
  vi.stubEnv("PATH", "/nonexistent");
  try {
    const { code, error } = await world.ask(shop);
    expect(code).toBe(1);
    expect(error).toContain("there is no command git in the PATH. Install git");
  } finally {
    vi.unstubAllEnvs();
  }
});

test("a repository that lacks its commits is not one without history", async () => {
  using world = await history();
  renameSync(`${world.repository}/objects/pack`, `${world.repository}/objects/packs`);
  const { code, error } = await world.ask(shop);
  expect(code).toBe(1);
  expect(error).toContain("and the repository has no such commit: run git fsck in it");
});
