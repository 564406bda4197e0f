import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";

describe("the control plane that the other end-to-end tests stand on", () => {
  let plane: ControlPlane;

  beforeAll(async () => {
    plane = await startControlPlane({ apiServers: 2 });
  });

  afterAll(async () => {
    await plane[Symbol.asyncDispose]();
  });

  test("kubectl writes as a user, and the audit log names that user", async () => {
    const made = await plane.kubectl("alice", ["create", "configmap", "greeting", "--from-literal=text=hello"]);
    expect(made).toMatchObject({ code: 0, stdout: "configmap/greeting created\n" });
    const event = await eventually(async () => {
      const events = await Array.fromAsync(plane.auditEvents());
      return events.find(({ objectRef }) => objectRef?.name === "greeting");
    });
    expect(event).toMatchObject({
      verb: "create",
      user: { username: "alice" },
      responseStatus: { code: 201 },
      responseObject: { kind: "ConfigMap", data: { text: "hello" } },
    });
  });

  test("both API servers serve one etcd, and one outlives the other", async () => {
    const path = "/api/v1/namespaces/default/configmaps";
    await plane.stopApiServer(0);
    await expect(plane.request("bob", "GET", path)).rejects.toThrow("ECONNREFUSED");
    const made = await plane.request("bob", "POST", path, { metadata: { name: "second" } }, { server: 1 });
    expect(made.status).toBe(201);
    await plane.startApiServer(0);
    expect((await plane.request("bob", "GET", `${path}/second`)).status).toBe(200);
  });

  test("a compacted etcd answers an old version with 410, an older backup brings the old state back", async () => {
    const path = "/api/v1/namespaces/default/secrets";
    const { resourceVersion } = (await plane.request("bob", "GET", path)).json()["metadata"] as {
      resourceVersion: string;
    };
    const snapshot = plane.snapshot();
    expect((await plane.request("bob", "POST", path, { metadata: { name: "late" } })).status).toBe(201);
    await plane.compact();
    await plane.stopApiServer(0);
    await plane.startApiServer(0);
    const old = `${path}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`;
    expect((await plane.request("bob", "GET", old)).status).toBe(410);
    await plane.restore(snapshot);
    expect((await plane.request("bob", "GET", `${path}/late`)).status).toBe(404);
  });
});
