/** The front, read by the product's own client: credentials, discovery, lists and watches over real HTTPS. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import type { StreamReceiver, StreamRequest } from "../../actors/watch-source.ts";
import type { ResourceType, ResourceVersion, WatchEvent } from "../../machines/messages.ts";
import type { HttpsApiServer } from "../../src/kubernetes/api-server.ts";
import { connectApiServer } from "../../src/kubernetes/api-server.ts";
import { createWatchSource } from "../../src/kubernetes/api-watch-source.ts";
import { readClusterUid } from "../../src/kubernetes/cluster-uid.ts";
import { Discovery, resourceTypeOf } from "../../src/kubernetes/discovery.ts";
import { makeCertificate } from "../../src/simulator/certificate.ts";
import type { SimulatedCluster } from "../../src/simulator/cluster.ts";
import { Front } from "../../src/simulator/front.ts";
import { objectAt, stringAt } from "../../src/simulator/json.ts";
import { kubeconfigOf } from "../../src/simulator/kubeconfig.ts";
import { CONFIG_MAPS, NAMESPACES } from "../../src/simulator/resource-types.ts";
import { writeNow } from "../../src/simulator/write.ts";
import { wallClock } from "./clock.ts";
import { clusterAt, configMap, requestOf } from "./model-support.ts";

let cluster: SimulatedCluster;
let front: Front;
let api: HttpsApiServer;
let directory = "";
const signal = new AbortController().signal;
const silent = () => undefined;

beforeEach(async () => {
  cluster = clusterAt().cluster;
  const certificate = await makeCertificate("front test", wallClock);
  front = await Front.listen({
    cluster,
    certificate,
    clock: wallClock,
    users: new Map([["token", { name: "kubescribe", groups: [] }]]),
    bookmarkMs: 10,
    ask: () => Promise.resolve({ answered: false, allowed: true, message: "" }),
  });
  directory = await mkdtemp(join(tmpdir(), "kubescribe-front-test-"));
  const kubeconfig = join(directory, "kubeconfig.json");
  const caBundlePem = certificate.certificatePem;
  await writeFile(kubeconfig, kubeconfigOf({ serverUrl: front.url, caBundlePem, token: "token" }));
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  api = await connectApiServer({
    kubeconfig,
    clock: wallClock,
    files: createNodeFileSystem(),
    log,
    meter: { count: silent, record: silent, gauge: silent },
  });
});
afterEach(async () => {
  await api[Symbol.asyncDispose]();
  await front[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const source = () => createWatchSource({ api, clock: wallClock, pageItems: 2 });
const version = (revision: number) => String(revision) as ResourceVersion;
const createAll = (...names: readonly string[]) => {
  for (const name of names) writeNow(cluster, requestOf({ body: configMap(name, { k: name }) }));
};

/** Reads a stream until it has seen so many events and bookmarks. */
async function read(type: ResourceType, begin: StreamRequest["begin"], until: (seen: readonly string[]) => boolean) {
  const stop = new AbortController();
  const seen: string[] = [];
  const note = (what: string) => {
    seen.push(what);
    if (until(seen)) stop.abort();
  };
  const receiver: StreamReceiver = {
    event: (event: WatchEvent) => note(`${event.kind} ${event.name}`),
    bookmark: (_version, initialEnd) => note(initialEnd ? "END" : "BOOKMARK"),
    alive: silent,
  };
  const outcome = await source().stream(type, { begin, timeoutSeconds: 300 }, receiver, stop.signal);
  return { seen, outcome };
}

describe("what the client asks for at the start", () => {
  test("discovery names every type with its scale and scope, and the cluster has its uid", async () => {
    const { types } = await new Discovery(api).read(signal);
    const found = types.map((type) => resourceTypeOf(type, () => true));
    const wanted = cluster.types.map(({ key, group, version: served, resource, kind, namespaced, scalable }) => {
      return { key, group, version: served, resource, kind, namespaced, scalable };
    });
    expect(new Set(found)).toEqual(new Set(wanted));
    const system = cluster.store.get({ typeKey: NAMESPACES.key, namespace: "", name: "kube-system" });
    expect(await readClusterUid(api, signal)).toBe(stringAt(objectAt(system?.object, "metadata"), "uid"));
  });
});

describe("LIST", () => {
  test("by pages is complete, though writes happen between them, and names the items' kind", async () => {
    createAll("a", "b", "c", "d", "e");
    const answer = await source().list(CONFIG_MAPS, { match: "latest", alive: () => createAll("late") }, signal);
    if (answer.kind !== "listed") throw new Error(JSON.stringify(answer));
    expect(answer.items.map(({ name }) => name)).toEqual(["a", "b", "c", "d", "e"]);
    const item = answer.items[0];
    expect(JSON.parse(Buffer.from(item?.bytes ?? []).toString())).toMatchObject({
      kind: "ConfigMap",
      apiVersion: "v1",
    });
  });

  test("at an exact version gives the state of then, and is gone behind a compaction", async () => {
    createAll("a");
    const then = cluster.store.revision;
    createAll("b");
    writeNow(cluster, requestOf({ verb: "delete", name: "a" }));
    const request = { match: "exact", version: version(then), alive: silent } as const;
    const answer = await source().list(CONFIG_MAPS, request, signal);
    expect(answer.kind === "listed" ? answer.items.map(({ name }) => name) : answer).toEqual(["a"]);
    cluster.store.compact(then + 1);
    expect(await source().list(CONFIG_MAPS, request, signal)).toMatchObject({
      kind: "faulted",
      fault: { kind: "gone" },
    });
  });

  test("at a version of the future says so", async () => {
    const request = { match: "exact", version: version(99_999), alive: silent } as const;
    const answer = await source().list(CONFIG_MAPS, request, signal);
    expect(answer).toMatchObject({ kind: "faulted", fault: { kind: "ahead" } });
  });
});

describe("WATCH", () => {
  test("with initial events gives the state, its end, then what happens", async () => {
    createAll("a", "b");
    const { seen } = await read(CONFIG_MAPS, { initial: { match: "latest" } }, (so) => {
      if (so.at(-1) === "END") createAll("c");
      return so.includes("ADDED c");
    });
    expect(seen.filter((what) => what !== "BOOKMARK")).toEqual(["ADDED a", "ADDED b", "END", "ADDED c"]);
  });

  test("from a version goes on behind it, with bookmarks in quiet times", async () => {
    createAll("a");
    const from = version(cluster.store.revision);
    createAll("b");
    writeNow(cluster, requestOf({ verb: "delete", name: "a" }));
    const { seen } = await read(CONFIG_MAPS, { from }, (so) => so.includes("BOOKMARK"));
    expect(seen).toEqual(["ADDED b", "DELETED a", "BOOKMARK"]);
  });

  test("from a compacted version is gone, and one of the future stays silent", async () => {
    createAll("a", "b", "c");
    cluster.store.compact(cluster.store.revision);
    const { outcome } = await read(CONFIG_MAPS, { from: version(2) }, () => false);
    expect(outcome).toMatchObject({ kind: "faulted", fault: { kind: "gone" } });
    const future = read(CONFIG_MAPS, { from: version(99_999) }, () => true);
    const noise = read(CONFIG_MAPS, { initial: { match: "latest" } }, (so) => so.includes("BOOKMARK"));
    await noise;
    front.cutWatches();
    expect((await future).seen).toEqual([]);
  });
});
