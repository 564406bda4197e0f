/** Several API servers before one store: each with a watch cache of its own, which may lag or begin anew. */

import { expect, test } from "vitest";
import type { SimulatedCluster } from "../../src/simulator/cluster.ts";
import { list } from "../../src/simulator/listing.ts";
import { CONFIG_MAPS, WIDGETS } from "../../src/simulator/resource-types.ts";
import { Watch } from "../../src/simulator/watching.ts";
import { write, writeNow } from "../../src/simulator/write.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { ALLOWED, clusterAt, configMap, requestOf } from "./model-support.ts";

interface Frame {
  readonly type: string;
  readonly object: { readonly metadata: { readonly name?: string }; readonly code?: number };
}

/** `unread`: nothing that is sent is ever read; each frame counts for so many bytes. */
function watch(cluster: SimulatedCluster, server: number, query: string, { type = CONFIG_MAPS, unread = 0 } = {}) {
  const seen: string[] = [];
  const ends: string[] = [];
  const opened = new Watch({
    cluster,
    server,
    type,
    namespace: "",
    query: new URLSearchParams(query),
    clock: createSimulatedClock(),
    bookmarkMs: 60_000,
    sink: {
      backlogBytes: () => seen.length * unread,
      write: (frame) => {
        const { type: kind, object } = JSON.parse(frame) as Frame;
        seen.push(`${kind} ${object.metadata.name ?? object.code ?? ""}`.trim());
      },
      end: (how) => void ends.push(how),
    },
  });
  opened.start();
  return { seen, ends };
}

function names(cluster: SimulatedCluster, server: number, query: string): readonly string[] {
  const answer = list(cluster, { type: CONFIG_MAPS, namespace: "", query: new URLSearchParams(query), server });
  const { items } = JSON.parse(answer.body) as { readonly items?: readonly Frame["object"][] };
  return items?.map(({ metadata }) => metadata.name ?? "") ?? [String(answer.status)];
}

const create = (cluster: SimulatedCluster, name: string, server = 0) =>
  writeNow(cluster, requestOf({ server, body: configMap(name, { k: "1" }) }));

test("a watch cache that lags shows nothing new to watches, and to lists only what they allow to be old", () => {
  const { cluster } = clusterAt({ servers: 2 });
  create(cluster, "a");
  const from = `resourceVersion=${cluster.store.revision}`;
  const [slow, fast] = [watch(cluster, 1, from), watch(cluster, 0, from)];
  cluster.server({ server: 1 }).hold();
  create(cluster, "b");
  expect([slow.seen, fast.seen]).toEqual([[], ["ADDED b"]]);
  expect(names(cluster, 1, "resourceVersion=0")).toEqual(["a"]);
  expect(names(cluster, 1, "")).toEqual(["a", "b"]);
  cluster.server({ server: 1 }).catchUp();
  expect(slow.seen).toEqual(["ADDED b"]);
});

test("a state may be of any size, and who does not read what comes behind it is cut off", () => {
  const { cluster } = clusterAt();
  for (const name of ["a", "b", "c"]) create(cluster, name);
  const state = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const { seen, ends } = watch(cluster, 0, state, { unread: 6 << 20 });
  create(cluster, "d");
  expect([seen.length, ends]).toEqual([5, []]);
  create(cluster, "e");
  expect(ends).toEqual(["cut"]);
});

test("a watch cache that is behind a compaction begins anew: it never shows an empty state", () => {
  const { cluster } = clusterAt({ servers: 2 });
  create(cluster, "a");
  const from = cluster.store.revision;
  const slow = watch(cluster, 1, `resourceVersion=${from}`);
  cluster.server({ server: 1 }).hold();
  create(cluster, "b");
  cluster.store.compact(cluster.store.revision);
  create(cluster, "c");
  const state = "resourceVersion=0&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
  expect(watch(cluster, 1, state).seen).toEqual(["ADDED a", "ADDED b"]);
  expect(names(cluster, 1, "resourceVersion=0")).toEqual(["a", "b"]);
  cluster.server({ server: 1 }).catchUp();
  expect(slow).toEqual({ seen: ["ERROR 410"], ends: ["done"] });
});

test("a list that must not be older than a version waits for the watch cache", () => {
  const { cluster } = clusterAt();
  create(cluster, "a");
  cluster.server({}).hold();
  create(cluster, "b");
  const query = `resourceVersion=${cluster.store.revision}&resourceVersionMatch=NotOlderThan`;
  expect(names(cluster, 0, query)).toEqual(["a", "b"]);
  expect(names(cluster, 0, "resourceVersion=99999&resourceVersionMatch=NotOlderThan")).toEqual(["504"]);
});

test("a write by a lagging server is first tried on what its watch cache has; another server is up to date", () => {
  const { cluster } = clusterAt({ servers: 2 });
  create(cluster, "a");
  cluster.server({ server: 1 }).hold();
  writeNow(cluster, requestOf({ verb: "patch", name: "a", body: { data: { k: "2" } } }));
  const reviewsBy = (server: number): number => {
    const run = write(
      cluster,
      requestOf({ server, verb: "patch", name: "a", body: { data: { [`by-${server}`]: "1" } } }),
    );
    let count = 0;
    for (let step = run.next(); step.done !== true; step = run.next(ALLOWED)) count += 1;
    return count;
  };
  expect([reviewsBy(0), reviewsBy(1)]).toEqual([1, 2]);
});

test("a refusal on stale state is tried again on fresh state", () => {
  const { cluster } = clusterAt();
  create(cluster, "a");
  cluster.server({}).hold();
  writeNow(cluster, requestOf({ verb: "patch", name: "a", body: { data: { k: "2" } } }));
  const version = String(cluster.store.revision);
  const body = { ...configMap("a", { k: "3" }), metadata: { name: "a", resourceVersion: version } };
  expect(writeNow(cluster, requestOf({ verb: "update", name: "a", body })).status).toBe(200);
});

test("a server that was restarted has no history: 410 to watches from before, while etcd still lists it", () => {
  const { cluster } = clusterAt({ servers: 2 });
  create(cluster, "a");
  const from = cluster.store.revision;
  create(cluster, "b");
  const before = watch(cluster, 1, `resourceVersion=${from}`);
  cluster.server({ server: 1 }).restart();
  expect(before.ends).toEqual(["cut"]);
  expect(watch(cluster, 1, `resourceVersion=${from}`)).toEqual({ seen: ["ERROR 410"], ends: ["done"] });
  expect(watch(cluster, 0, `resourceVersion=${from}`).seen).toEqual(["ADDED b"]);
  expect(names(cluster, 1, `resourceVersion=${from}&resourceVersionMatch=Exact`)).toEqual(["a"]);
});

test("a restored backup: what came later never was, a watch from there stays silent, a list there is 504", () => {
  const { cluster } = clusterAt();
  create(cluster, "a");
  const backup = cluster.store.revision;
  create(cluster, "b");
  const later = cluster.store.revision;
  cluster.restore(backup);
  expect(names(cluster, 0, "")).toEqual(["a"]);
  expect(names(cluster, 0, `resourceVersion=${later}&resourceVersionMatch=Exact`)).toEqual(["504"]);
  const silent = watch(cluster, 0, `resourceVersion=${later}&allowWatchBookmarks=true`);
  create(cluster, "c");
  expect(silent).toEqual({ seen: [], ends: [] });
  create(cluster, "d");
  expect(silent.seen).toEqual(["ADDED d"]);
});

test("a CRD that goes takes its objects along, unreviewed, and ends its watches", () => {
  const { cluster } = clusterAt();
  writeNow(cluster, requestOf({ type: WIDGETS, body: { metadata: { name: "w" }, spec: { size: 1 } } }));
  const { seen, ends } = watch(cluster, 0, `resourceVersion=${cluster.store.revision}`, { type: WIDGETS });
  cluster.uninstall(WIDGETS, "admin");
  expect({ seen, ends }).toEqual({ seen: ["DELETED w"], ends: ["cut"] });
  expect(cluster.typeOf(WIDGETS.group, WIDGETS.version, WIDGETS.resource)).toBeUndefined();
  cluster.install(WIDGETS);
  expect(cluster.server({}).isInitializing(WIDGETS.key)).toBe(true);
});
