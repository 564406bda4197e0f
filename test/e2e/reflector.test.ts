import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import type { Clock } from "../../actors/ports.ts";
import { WatchActor } from "../../actors/watch-actor.ts";
import { WatchManager } from "../../actors/watch-manager.ts";
import type { Cursor, ResourceType, WatchEvent, WatchMessage } from "../../machines/messages.ts";
import { type HttpsApiServer, connectApiServer } from "../../src/kubernetes/api-server.ts";
import { createWatchSource } from "../../src/kubernetes/api-watch-source.ts";
import { readClusterUid } from "../../src/kubernetes/cluster-uid.ts";
import { Discovery, resourceTypeOf } from "../../src/kubernetes/discovery.ts";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import { configMaps } from "../fakes/messages.ts";

const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
const never = new AbortController().signal;

/** A watch, and everything that it said. */
class Reading implements AsyncDisposable {
  readonly messages: WatchMessage[] = [];
  readonly meter = new FakeMeter();
  readonly watch: WatchActor;

  constructor(api: HttpsApiServer, cursor: Cursor | null = null, type: ResourceType = configMaps) {
    this.watch = new WatchActor({
      type,
      cursor,
      source: createWatchSource({ api, clock, pageItems: 3 }),
      clock,
      random: Math.random,
      meter: this.meter,
      log: new FakeLog(),
      sink: (message) => this.messages.push(message),
    });
  }

  lists(): readonly Extract<WatchMessage, { kind: "listed" }>[] {
    return this.messages.filter((message) => message.kind === "listed");
  }

  events(name: string): readonly WatchEvent[] {
    return this.messages.flatMap((message) =>
      message.kind === "observed" && message.event.name === name ? [message.event] : [],
    );
  }

  async synced(): Promise<this> {
    await eventually(() => (this.watch.synced ? true : undefined), { what: "the first list" });
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watch[Symbol.asyncDispose]();
  }
}

const base = "/api/v1/namespaces/default/configmaps";
const textOf = ({ bytes }: WatchEvent): string => Buffer.from(bytes).toString();

describe("the reflector at a real API server", () => {
  let plane: ControlPlane;
  let api: HttpsApiServer;
  let count = 0;
  let name = "";

  const write = async (object: string, data: Record<string, string>): Promise<string> => {
    const path = `${base}/${object}`;
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: object }, data };
    const headers = { "content-type": "application/apply-patch+yaml" };
    const answer = await plane.request("alice", "PATCH", `${path}?fieldManager=test&force=true`, body, { headers });
    expect(answer.status).toBeLessThan(300);
    return (answer.json()["metadata"] as { resourceVersion: string }).resourceVersion;
  };

  beforeAll(async () => {
    plane = await startControlPlane({ numberedUsers: 0 });
    api = await connectApiServer({
      kubeconfig: plane.kubeconfig("admin"),
      clock,
      files: createNodeFileSystem(),
      meter: new FakeMeter(),
      log: new FakeLog(),
    });
  });

  beforeEach(() => {
    count += 1;
    name = `object-${count}`;
  });

  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  test("a list item, an initial event and a watch event of one version have the same bytes and hashes", async () => {
    await using first = await new Reading(api).synced();
    const version = await write(name, { text: '\u2028 <&> 😀 "quoted"' });
    const [event] = await eventually(() => (first.events(name).length > 0 ? first.events(name) : undefined));
    await using second = await new Reading(api).synced();
    const cursor = { epoch: 0, resourceVersion: event?.resourceVersion ?? fail() };
    await using third = await new Reading(api, cursor).synced();
    const [initial, listed] = [second, third].map((reading) =>
      reading.lists()[0]?.items.find((item) => item.name === name),
    );
    expect(event?.resourceVersion).toBe(version);
    const ignored = { kind: "ADDED", atMs: 0 };
    expect({ ...initial, ...ignored }).toEqual({ ...event, ...ignored });
    expect({ ...listed, ...ignored }).toEqual({ ...event, ...ignored });
    expect(third.lists()[0]).toMatchObject({ unbroken: true, resourceVersion: version });
  });

  test("a cursor shows the state as of then, by pages, and each change since, one by one", async () => {
    for (const index of [0, 1, 2, 3, 4, 5, 6]) await write(`${name}-${index}`, { text: "old" });
    await using before = await new Reading(api).synced();
    const cursor = before.watch.cursor;
    for (const text of ["one", "two", "three"]) await write(`${name}-0`, { text });
    await plane.request("alice", "DELETE", `${base}/${name}-1`);
    await using after = await new Reading(api, cursor).synced();
    const events = await eventually(() =>
      after.events(`${name}-1`).length > 0 ? after.events(`${name}-0`) : undefined,
    );
    const items = after.lists()[0]?.items.filter((item) => item.name.startsWith(`${name}-`)) ?? [];
    expect(items).toHaveLength(7);
    expect(items.every((item) => textOf(item).includes('"old"'))).toBe(true);
    expect(events.map((event) => /"text":"(\w+)"/.exec(textOf(event))?.[1])).toEqual(["one", "two", "three"]);
    expect(after.events(`${name}-1`).map(({ kind }) => kind)).toEqual(["DELETED"]);
  });

  test("a restarted API server loses no change, whether its history reaches back or not", async () => {
    await using reading = await new Reading(api).synced();
    await write(name, { text: "before" });
    await eventually(() => (reading.events(name).length > 0 ? true : undefined));
    await plane.stopApiServer();
    await eventually(() => (reading.watch.phase === "backingOff" ? true : undefined));
    await plane.startApiServer();
    await write(`${name}-after`, { text: "after" });
    await eventually(() => {
      const seen = reading.events(`${name}-after`).length > 0;
      return seen ||
        reading
          .lists()
          .at(-1)
          ?.items.some((item) => item.name === `${name}-after`) === true
        ? true
        : undefined;
    });
    expect(reading.messages.every((message) => message.kind !== "listed" || message.epoch === 0)).toBe(true);
    expect(
      reading
        .lists()
        .slice(1)
        .every(({ unbroken }) => !unbroken),
    ).toBe(true);
  });

  test("a cursor whose history was compacted away begins with a broken list", async () => {
    await using before = await new Reading(api).synced();
    const cursor = before.watch.cursor;
    await before[Symbol.asyncDispose]();
    await write(name, { text: "missed" });
    await plane.compact();
    await plane.stopApiServer();
    await plane.startApiServer();
    await using after = await new Reading(api, cursor).synced();
    expect(after.lists()).toMatchObject([{ unbroken: false, epoch: 0 }]);
    expect(after.lists()[0]?.items.some((item) => item.name === name)).toBe(true);
    expect(after.meter.counts.get("watch_restarts gone")).toBe(1);
  });

  test("a custom resource comes and goes by itself", async () => {
    const discovery = new Discovery(api);
    const messages: WatchMessage[] = [];
    await using manager = new WatchManager({
      select: async (signal) => {
        const served = await discovery.read(signal);
        const types = served.types.filter(({ group }) => group === "example.com");
        return { types: types.flatMap((type) => resourceTypeOf(type, () => true) ?? []), uncertain: served.uncertain };
      },
      source: createWatchSource({ api, clock }),
      cursorOf: () => null,
      sink: (message) => messages.push(message),
      clock,
      random: Math.random,
      meter: new FakeMeter(),
      log: new FakeLog(),
      rescanMs: 200,
    });
    await eventually(() => (manager.synced ? true : undefined));
    const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    expect((await plane.request("admin", "POST", definitions, widgets)).status).toBe(201);
    await eventually(() => (manager.watches.some(({ synced }) => synced) ? true : undefined));
    expect(manager.watches[0]?.type).toMatchObject({ key: "example.com/widgets", kind: "Widget", scalable: true });
    const body =
      '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"big":9007199254740993}}';
    const path = "/apis/example.com/v1/namespaces/default/widgets";
    await eventually(async () =>
      (await plane.request("admin", "POST", path, body)).status === 201 ? true : undefined,
    );
    const made = await eventually(() => messages.find((message) => message.kind === "observed"));
    expect(made.kind === "observed" && textOf(made.event)).toContain('"big":9007199254740993');
    await plane.request("admin", "DELETE", `${definitions}/widgets.example.com`);
    await eventually(() => (manager.watches.length === 0 ? true : undefined), { timeoutMs: 40_000 });
    expect(messages.some((message) => message.kind === "observed" && message.event.kind === "DELETED")).toBe(true);
  });

  test("a server restored from a backup begins a new epoch", async () => {
    const snapshot = plane.snapshot();
    await using reading = await new Reading(api).synced();
    // More than the server itself writes until it is asked: beyond that, nobody could tell.
    const texts = Array.from({ length: 100 }, (_, at) => `text ${at}`);
    for (const text of texts) await write(name, { text });
    await eventually(() => (reading.events(name).length === texts.length ? true : undefined));
    await plane.restore(snapshot);
    const relist = await eventually(() => reading.lists().find(({ epoch }) => epoch === 1), { timeoutMs: 60_000 });
    expect(relist.unbroken).toBe(false);
    expect(relist.items.some((item) => item.name === name)).toBe(false);
    await write(name, { text: "again" });
    const event = await eventually(() =>
      reading.messages.find((message) => message.kind === "observed" && message.epoch === 1),
    );
    expect(event).toMatchObject({ event: { name } });
  });

  test("the cluster is named by its kube-system, and a wrong kubeconfig says what to do", async () => {
    expect(await readClusterUid(api, never)).toMatch(/^[0-9a-f-]{36}$/);
    const options = { clock, files: createNodeFileSystem(), meter: new FakeMeter(), log: new FakeLog() };
    await expect(connectApiServer({ ...options, kubeconfig: "/nowhere/config" })).rejects.toThrow(
      "Name a readable file with --kubeconfig",
    );
  });
});

function fail(): never {
  throw new Error("No version was seen.");
}

const widgets = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        subresources: {
          status: {},
          scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
        },
      },
    ],
  },
};
