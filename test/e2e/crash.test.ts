import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";
import { Load } from "./load.ts";
import { Proxy } from "./proxy.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const users = ["alice", "bob", "carol", "dave"];

describe("kubescribe killed with kill -9", () => {
  let plane: ControlPlane;
  let proxy: Proxy;
  let kubescribe: Kubescribe;

  const create = async (user: string, name: string): Promise<void> => {
    const metadata = { name };
    expect((await plane.request(user, "POST", configMaps, { metadata, data: { by: user } })).status).toBe(201);
  };
  const change = async (user: string, name: string): Promise<void> => {
    expect((await plane.request(user, "PATCH", `${configMaps}/${name}`, { data: { by: user } })).status).toBe(200);
  };
  const remove = async (user: string, name: string): Promise<void> => {
    expect((await plane.request(user, "DELETE", `${configMaps}/${name}`)).status).toBe(200);
  };
  const made = async (names: readonly string[]): Promise<void> => {
    for (const name of names) await create("admin", name);
    for (const name of names) await kubescribe.waitForCommits("configmaps", `default/${name}`, 1);
  };

  beforeAll(async () => {
    plane = await startControlPlane({ numberedUsers: 0 });
    proxy = await Proxy.start(plane);
    const types = [{ apiGroups: [""], resources: ["configmaps"] }];
    kubescribe = await startKubescribe(plane, { types, kubeconfig: proxy.kubeconfig });
    await kubescribe.installWebhook();
  });

  afterAll(async () => {
    await kubescribe[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  test("under load, again and again, loses and doubles nothing, and keeps every author that was reviewed", async () => {
    const load = await Load.start(plane, ["load-a", "load-b", "load-c"], users);
    for (let kill = 0; kill < 3; kill += 1) {
      await load.acknowledged(40);
      load.reviewing = false;
      await kubescribe.kill9();
      await load.acknowledged(10);
      await kubescribe.start();
      await kubescribe.reviewed();
      load.reviewing = true;
    }
    await load.acknowledged(20);
    await load.stop();
    expect(await load.judge(kubescribe, { gaps: false })).toEqual([]);
    await kubescribe.assertSound();
  });

  test("after reviews were answered and before the watch said so, the authors come from the journal", async () => {
    await made(["kept", "removed", "renewed"]);
    proxy.hold();
    for (const user of users) await change(user, "kept");
    await create("bob", "fresh");
    await remove("carol", "removed");
    await kubescribe.kill9();
    proxy.cut();
    await change("admin", "kept");
    await create("dave", "unseen");
    await remove("dave", "renewed");
    await create("dave", "renewed");
    proxy.mend();
    await kubescribe.start();
    const kept = (await kubescribe.waitForCommits("configmaps", "default/kept", 6)).slice(1);
    expect(kept.slice(0, 4).map(({ user, tier }) => [user, tier])).toEqual(users.map((user) => [user, "exact"]));
    expect(kept.at(4)).toMatchObject({ tier: "unresolved" });
    const [fresh] = await kubescribe.waitForCommits("configmaps", "default/fresh", 1);
    expect(fresh).toMatchObject({ user: "bob", tier: "exact" });
    const [unseen] = await kubescribe.waitForCommits("configmaps", "default/unseen", 1);
    expect(unseen).toMatchObject({ operation: "CREATE", tier: "unresolved" });
    const renewed = await kubescribe.waitForCommits("configmaps", "default/renewed", 3);
    expect(renewed.map(({ operation, tier }) => [operation, tier])).toEqual([
      ["CREATE", "exact"],
      ["DELETE", "unresolved"],
      ["CREATE", "unresolved"],
    ]);
    const [, removed] = await kubescribe.waitForCommits("configmaps", "default/removed", 2);
    expect(removed?.operation).toBe("DELETE");
    expect([`delete carol`, `unresolved ${kept.at(4)?.user}`]).toContain(`${removed?.tier} ${removed?.user}`);
    await kubescribe.reviewed();
  });

  test("with the history window gone, objects deleted, made and made anew meanwhile, tells what can be told", async () => {
    const names = ["once", "twice", "gone", "anew"];
    await made(names);
    await remembered(kubescribe, names);
    proxy.hold();
    await change("alice", "once");
    await create("bob", "born");
    await kubescribe.kill9();
    proxy.cut();
    await change("carol", "twice");
    await change("dave", "twice");
    await remove("carol", "gone");
    await remove("carol", "anew");
    await create("carol", "anew");
    await create("carol", "unborn");
    await remove("carol", "unborn");
    await plane.compact();
    await plane.stopApiServer();
    await plane.startApiServer();
    proxy.mend();
    await kubescribe.start();
    const told = async (name: string, count: number): Promise<readonly (readonly unknown[])[]> => {
      const commits = await kubescribe.waitForCommits("configmaps", `default/${name}`, count);
      return commits.map(({ operation, tier, candidates, user }) => [
        operation,
        tier,
        candidates.length > 0 ? candidates : user,
      ]);
    };
    const sentinel = (await kubescribe.waitForCommits("configmaps", "default/twice", 2)).at(-1)?.user;
    expect((await told("born", 1)).at(0)).toEqual(["CREATE", "recovered", "bob"]);
    expect((await told("once", 2)).at(1)).toEqual(["UPDATE", "recovered", "alice"]);
    expect((await told("twice", 2)).at(1)).toEqual(["UPDATE", "unresolved", sentinel]);
    expect((await told("gone", 2)).at(1)).toEqual(["DELETE", "unresolved", sentinel]);
    expect((await told("anew", 3)).slice(1)).toEqual([
      ["DELETE", "unresolved", sentinel],
      ["CREATE", "unresolved", sentinel],
    ]);
    expect(await kubescribe.commitsOf("configmaps", "default/unborn")).toEqual([]);
    expect(plane.users).not.toContain(sentinel);
    await kubescribe.reviewed();
    await change("bob", "once");
    expect((await told("once", 3)).at(2)).toEqual(["UPDATE", "exact", "bob"]);
  });

  test("the history is sound", async () => {
    await kubescribe.assertSound();
  });
});

/** Resolves when what is known of these is on disk: a second later, if nothing is in the way. */
async function remembered({ dataDir }: Kubescribe, names: readonly string[]): Promise<void> {
  await eventually(async () => {
    const text = await readFile(join(dataDir, "known", "core%2Fconfigmaps.jsonl"), "utf8");
    return names.every((name) => text.includes(`/default/${name}"`)) ? true : undefined;
  });
}
