import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";
import { Proxy } from "./proxy.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
/** After an outage the watch waits up to 30 s before it tries again (K26). */
const backoffMs = 60_000;

describe("a watch that lags, or is cut", () => {
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
  const committed = async (name: string, count: number): Promise<readonly (readonly string[])[]> => {
    const commits = await kubescribe.waitForCommits("configmaps", `default/${name}`, count, backoffMs);
    return commits.map(({ operation, tier, user }) => [operation, tier, user]);
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

  test("held back for longer than usual, every correlation survives", async () => {
    proxy.hold();
    await create("alice", "held");
    for (const user of ["bob", "carol", "dave"]) await change(user, "held");
    await remove("alice", "held");
    await delay(3000);
    expect(await kubescribe.commitsOf("configmaps", "default/held")).toEqual([]);
    proxy.release();
    expect(await committed("held", 5)).toEqual([
      ["CREATE", "exact", "alice"],
      ["UPDATE", "exact", "bob"],
      ["UPDATE", "exact", "carol"],
      ["UPDATE", "exact", "dave"],
      ["DELETE", "delete", "alice"],
    ]);
    expect(await kubescribe.metric("watch_lag_seconds_sum")).toBeGreaterThan(3);
  });

  test("cut for a while, each change that was missed is a commit of its own, by its author", async () => {
    await create("alice", "cut");
    await committed("cut", 1);
    proxy.cut();
    for (const user of ["bob", "carol", "dave"]) await change(user, "cut");
    await remove("alice", "cut");
    await create("bob", "cut");
    proxy.mend();
    expect(await committed("cut", 6)).toEqual([
      ["CREATE", "exact", "alice"],
      ["UPDATE", "exact", "bob"],
      ["UPDATE", "exact", "carol"],
      ["UPDATE", "exact", "dave"],
      ["DELETE", "delete", "alice"],
      ["CREATE", "exact", "bob"],
    ]);
  });

  test("cut while etcd is compacted, what one known writer made is recovered, the rest is collapsed", async () => {
    for (const name of ["once", "twice", "gone", "anew"]) await create("admin", name);
    for (const name of ["once", "twice", "gone", "anew"]) await committed(name, 1);
    proxy.cut();
    await change("alice", "once");
    await change("bob", "twice");
    await change("carol", "twice");
    await remove("dave", "gone");
    await remove("alice", "anew");
    await create("bob", "anew");
    await create("carol", "born");
    await plane.compact();
    await plane.stopApiServer();
    await plane.startApiServer();
    proxy.mend();
    expect(await committed("once", 2)).toContainEqual(["UPDATE", "recovered", "alice"]);
    expect(await committed("born", 1)).toEqual([["CREATE", "recovered", "carol"]]);
    const [, twice] = await kubescribe.waitForCommits("configmaps", "default/twice", 2);
    expect(twice).toMatchObject({ operation: "UPDATE", tier: "collapsed", candidates: ["bob", "carol"] });
    const [, gone] = await kubescribe.waitForCommits("configmaps", "default/gone", 2);
    expect(gone).toMatchObject({ operation: "DELETE", tier: "collapsed", candidates: ["dave"] });
    const [, deleted, created] = await kubescribe.waitForCommits("configmaps", "default/anew", 3);
    expect(deleted).toMatchObject({ operation: "DELETE", tier: "collapsed", candidates: ["alice"] });
    expect(created).toMatchObject({ operation: "CREATE", tier: "recovered", user: "bob" });
    expect(plane.users).not.toContain(twice?.user);
    expect(await kubescribe.metric("watch_restarts_total", 'reason="gone"')).toBeGreaterThan(0);
    await kubescribe.reviewed();
  });

  test("held back beyond the time that correlations are kept, the commit says unresolved", async () => {
    await create("alice", "late");
    await committed("late", 1);
    expect(await kubescribe.stop()).toBe(0);
    await kubescribe.start({ args: ["--pending-ttl-seconds", "2"] });
    await kubescribe.reviewed();
    proxy.hold();
    await change("bob", "late");
    // What the journal kept of earlier changes expires too, so that one has expired does not say that bob's has.
    await eventually(async () => ((await kubescribe.metric("pending_correlations")) === 0 ? true : undefined));
    expect(await kubescribe.metric("correlations_dropped_total", 'reason="expired"')).toBeGreaterThan(0);
    proxy.release();
    expect((await committed("late", 2)).at(1)?.slice(0, 2)).toEqual(["UPDATE", "unresolved"]);
    await change("carol", "late");
    expect((await committed("late", 3)).at(2)).toEqual(["UPDATE", "exact", "carol"]);
  });

  test("the history is sound", async () => {
    await kubescribe.assertSound();
  });
});
