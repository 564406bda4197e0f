/** From real writes to a real server of stock git, which is overtaken, turned off and killed in the middle. */

import { existsSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { HttpBackend } from "../remote/http-backend.ts";
import { git, readCommits } from "./history.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";
import { Load } from "./load.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const users = ["alice", "bob", "carol", "dave"];

describe("a remote", () => {
  let plane: ControlPlane;
  let backend: HttpBackend;
  let kubescribe: Kubescribe;
  let down = false;

  /** Somebody else pushes. */
  const pushed = async (files: Readonly<Record<string, string>>): Promise<void> => {
    const clone = join(plane.directory, `clone-${Object.keys(files).join("-").replaceAll("/", "_")}`);
    await git("/", ["clone", "-q", kubescribe.repository, clone]);
    const identity = ["-c", "user.name=mallory", "-c", "user.email=mallory@example.com"];
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(clone, path, ".."), { recursive: true });
      await writeFile(join(clone, path), text);
    }
    await git(clone, ["add", "."]);
    await git(clone, [...identity, "commit", "-q", "-m", "by hand"]);
    // Whoever pushes to a busy branch has to try until nobody is faster.
    await eventually(
      async () => {
        await git(clone, [...identity, "pull", "-q", "--rebase"]);
        return git(clone, ["push", "-q"]).then(
          () => true,
          () => undefined,
        );
      },
      { what: "a push of somebody else" },
    );
    rmSync(clone, { recursive: true });
  };
  const level = async (): Promise<void> => {
    const done = async (): Promise<true | undefined> =>
      (await kubescribe.metric("unpushed_commits", 'target="default/history"')) === 0 ? true : undefined;
    await eventually(done, { what: "everything pushed" });
  };

  beforeAll(async () => {
    plane = await startControlPlane({ numberedUsers: 0 });
    const root = join(plane.directory, "remotes");
    await git("/", ["init", "-q", "--bare", "-b", "main", join(root, "history.git")]);
    await git(join(root, "history.git"), ["config", "http.receivepack", "true"]);
    backend = await HttpBackend.start({
      root,
      intercept: (_, response) => {
        if (down) response.writeHead(503).end();
        return down;
      },
    });
    const remote = { url: backend.url("history.git"), path: join(root, "history.git") };
    kubescribe = await startKubescribe(plane, { types: [{ apiGroups: [""], resources: ["configmaps"] }], remote });
    await kubescribe.installWebhook();
  });

  afterAll(async () => {
    await kubescribe[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  test("gets every change once, by its author, whatever befalls it, us and others", async () => {
    const load = await Load.start(plane, ["load-a", "load-b", "load-c"], users);
    await load.acknowledged(40);
    await pushed({ "README.md": "mine\n" });
    await load.acknowledged(20);
    down = true;
    await load.acknowledged(40);
    expect(await kubescribe.metric("unpushed_commits", 'target="default/history"')).toBeGreaterThan(0);
    down = false;
    await load.acknowledged(20);
    load.reviewing = false;
    await kubescribe.kill9();
    await load.acknowledged(10);
    await pushed({ "notes/by-hand.md": "mine, too\n" });
    await kubescribe.start();
    await kubescribe.reviewed();
    load.reviewing = true;
    await load.acknowledged(20);
    await load.stop();
    await level();
    expect(await load.judge(kubescribe, { gaps: false })).toEqual([]);
    await kubescribe.assertSound();
    expect((await readCommits(kubescribe.repository)).filter(({ subject }) => subject === "by hand")).toHaveLength(2);
  });

  test("is no path: nothing is made where kubescribe was started", () => {
    expect(existsSync("http:")).toBe(false);
  });

  test("takes over an edit of one of our files", async () => {
    const metadata = { name: "edited" };
    await plane.request("alice", "POST", configMaps, { metadata, data: { key: "1" } });
    await kubescribe.waitForCommits("configmaps", "default/edited", 1);
    const path = "cluster/default/core/configmaps/edited.yaml";
    await pushed({ [path]: "edited: true\n" });
    await plane.request("bob", "PATCH", `${configMaps}/edited`, { data: { key: "2" } });
    await kubescribe.waitForCommits("configmaps", "default/edited", 2);
    const subjects = (await readCommits(kubescribe.repository))
      .slice(-3)
      .map(({ subject, user }) => `${subject} ${user}`);
    expect(subjects).toEqual([
      "by hand ",
      "Take over 1 file that others changed ",
      "Update configmaps default/edited bob",
    ]);
    await kubescribe.assertSound();
  });

  test("is where a process without any data goes on", async () => {
    const before = await readCommits(kubescribe.repository);
    await kubescribe.stop();
    rmSync(kubescribe.dataDir, { recursive: true });
    await plane.request("carol", "PATCH", `${configMaps}/edited`, { data: { key: "3" } });
    await kubescribe.start();
    const commits = await kubescribe.waitForCommits("configmaps", "default/edited", 3);
    expect(commits.at(-1)).toMatchObject({ operation: "UPDATE", tier: "unresolved" });
    await level();
    const after = await readCommits(kubescribe.repository);
    expect(after.slice(0, before.length)).toEqual(before);
    await kubescribe.assertSound();
  });
});
