import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { StreamRequest } from "../../actors/watch-source.ts";
import type { ResourceType, ResourceVersion, WatchEvent } from "../../machines/messages.ts";
import { createWatchSource } from "../../src/kubernetes/api-watch-source.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { configMaps } from "../fakes/messages.ts";
import { FakeApi } from "./fake-api.ts";
import type { Answer } from "./fake-api.ts";
import { check } from "../property/check.ts";

const never = new AbortController().signal;
const from = (version: string): StreamRequest => ({ begin: { from: version as ResourceVersion }, timeoutSeconds: 300 });
const initial: StreamRequest = { begin: { initial: { match: "latest" } }, timeoutSeconds: 300 };

const object = (name: string, version: number, more = ""): string =>
  `{"kind":"ConfigMap","apiVersion":"v1",${inner(name, version, more)}}`;
const inner = (name: string, version: number, more = ""): string =>
  `"metadata":{"name":"${name}","namespace":"default","uid":"uid-${name}","resourceVersion":"${version}"}${more}`;
const frame = (type: string, body: string): string => `{"type":"${type}","object":${body}}\n`;
const bookmark = (version: number, end = false): string => {
  const annotations = end ? `,"annotations":{"k8s.io/initial-events-end":"true"}` : "";
  return frame(
    "BOOKMARK",
    `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"${version}"${annotations}}}`,
  );
};
const status = (code: number, message = "", more: object = {}): string =>
  JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code, message, ...more });

async function stream(answer: Answer | Error, request = from("5"), type: ResourceType = configMaps) {
  const api = new FakeApi(() => answer);
  const said: string[] = [];
  const events: WatchEvent[] = [];
  const source = createWatchSource({ api, clock: createSimulatedClock() });
  const end = await source.stream(
    type,
    request,
    {
      event: (event) => {
        events.push(event);
        said.push(`${event.kind} ${event.name}@${event.resourceVersion}`);
      },
      bookmark: (version, isEnd) => said.push(`bookmark ${version}${isEnd ? " end" : ""}`),
      alive: () => undefined,
    },
    never,
  );
  return { api, said, events, end };
}

describe("a stream", () => {
  test("asks for bookmarks and goes on behind a version", async () => {
    const { api, end } = await stream({ body: "" });
    expect(api.paths).toEqual([
      "/api/v1/configmaps?watch=true&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=5",
    ]);
    expect(end).toEqual({ kind: "ended" });
  });

  test("asks for initial events of a custom resource, by quorum", async () => {
    const widgets = { ...configMaps, group: "example.com", version: "v1beta1", resource: "widgets" };
    const { api } = await stream({ body: "" }, initial, widgets);
    expect(api.paths).toEqual([
      "/apis/example.com/v1beta1/widgets?watch=true&allowWatchBookmarks=true&timeoutSeconds=300&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
    ]);
  });

  test("decodes the same under every cut, and its bytes are its own", async () => {
    const data = `,"data":{"a":"é\u2028😀","n":9007199254740993.0}`;
    const body = [
      frame("ADDED", object("a", 6, data)),
      frame("MODIFIED", object("a", 7, data)),
      bookmark(8),
      frame("DELETED", object("a", 9)),
      bookmark(10, true),
    ].join("");
    await check(
      fc.asyncProperty(fc.integer({ min: 1, max: 300 }), async (chunkBytes) => {
        const { said, events } = await stream({ body, chunkBytes });
        expect(said).toEqual(["ADDED a@6", "MODIFIED a@7", "bookmark 8", "DELETED a@9", "bookmark 10 end"]);
        expect(events.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual([
          object("a", 6, data),
          object("a", 7, data),
          object("a", 9),
        ]);
        expect(events[0]?.objectHash).toBe(events[1]?.objectHash);
        expect(events[0]?.bytes.byteLength).toBe(events[0]?.bytes.buffer.byteLength);
      }),
    );
  });

  const first = frame("ADDED", object("a", 6));
  const tooLarge = {
    reason: "Timeout",
    details: { causes: [{ reason: "ResourceVersionTooLarge" }], retryAfterSeconds: 1 },
  };
  const faults: readonly (readonly [string, Answer | Error, StreamRequest, string, number])[] = [
    ["410 as a status", { status: 410, body: status(410) }, from("5"), "gone", 0],
    [
      "410 in the stream",
      { body: first + frame("ERROR", status(410, "too old", { reason: "Expired" })) },
      from("5"),
      "gone",
      0,
    ],
    ["Too large resource version", { status: 504, body: status(504, "", tooLarge) }, from("5"), "ahead", 1000],
    ["another 504", { status: 504, body: "<html>" }, from("5"), "unavailable", 0],
    [
      "429 with Retry-After",
      { status: 429, headers: { "retry-after": "7" }, body: status(429) },
      from("5"),
      "throttled",
      7000,
    ],
    ["403", { status: 403, body: status(403) }, from("5"), "denied", 0],
    ["404", { status: 404, body: status(404) }, from("5"), "missing", 0],
    ["a refused connection", new Error("ECONNREFUSED"), from("5"), "refused", 0],
    ["a connection that breaks", { body: first, breaks: true }, from("5"), "broken", 0],
    ["a WatchList that the server forbids", { status: 422, body: status(422) }, initial, "unsupported", 0],
    ["a WatchList that the store cannot serve (K44)", { body: frame("ERROR", status(500)) }, initial, "unsupported", 0],
    [
      "500 behind the initial events",
      { body: bookmark(6, true) + frame("ERROR", status(500)) },
      initial,
      "unavailable",
      0,
    ],
    ["a type of frame that nobody knows", { body: frame("PATCHED", object("a", 6)) }, from("5"), "undecodable", 0],
    ["a frame that is no JSON", { body: "upstream timed out\n" }, from("5"), "undecodable", 0],
    [
      "an object without a uid",
      { body: frame("ADDED", `{"metadata":{"name":"a","resourceVersion":"6"}}`) },
      from("5"),
      "undecodable",
      0,
    ],
  ];
  test.each(faults)("%s", async (_, answer, request, kind, retryAfterMs) => {
    const { end } = await stream(answer, request);
    expect(end).toMatchObject({ kind: "faulted", fault: { kind, retryAfterMs } });
  });

  test("what stands before a fault is passed on, nothing behind it", async () => {
    const { said, end } = await stream({ body: `${first}no JSON\n${frame("ADDED", object("b", 7))}` });
    expect(said).toEqual(["ADDED a@6"]);
    expect(end).toMatchObject({ fault: { kind: "undecodable" } });
  });

  test("what a receiver throws is thrown, not taken for a broken connection", async () => {
    const source = createWatchSource({ api: new FakeApi(() => ({ body: first })), clock: createSimulatedClock() });
    const receiver = {
      event: () => {
        throw new Error("full");
      },
      bookmark: () => undefined,
      alive: () => undefined,
    };
    await expect(source.stream(configMaps, from("5"), receiver, never)).rejects.toThrow("full");
  });
});

const page = (items: readonly string[], metadata: object): string =>
  `{"kind":"ConfigMapList","apiVersion":"v1","metadata":${JSON.stringify(metadata)},"items":[${items.map((one) => `{${one}}`).join(",")}]}\n`;

describe("a list", () => {
  const source = (answer: (path: string) => Answer | Error) => {
    const api = new FakeApi(answer);
    return { api, source: createWatchSource({ api, clock: createSimulatedClock(), pageItems: 2 }) };
  };

  test("goes page by page, exactly at a version", async () => {
    const { api, source: list } = source((path) =>
      path.includes("continue=next")
        ? { body: page([inner("c", 3)], { resourceVersion: "9" }), chunkBytes: 7 }
        : { body: page([inner("a", 1), inner("b", 2)], { resourceVersion: "9", continue: "next" }), chunkBytes: 7 },
    );
    const answer = await list.list(
      configMaps,
      { match: "exact", version: "9" as ResourceVersion, alive: () => undefined },
      never,
    );
    expect(api.paths).toEqual([
      "/api/v1/configmaps?resourceVersion=9&resourceVersionMatch=Exact&limit=2",
      "/api/v1/configmaps?limit=2&continue=next",
    ]);
    if (answer.kind !== "listed") throw new Error("No list.");
    expect(answer.version).toBe("9");
    expect(answer.items.map(({ name, kind }) => `${kind} ${name}`)).toEqual(["ADDED a", "ADDED b", "ADDED c"]);
  });

  test("an item has the bytes and the hashes of its watch event (K29, K36)", async () => {
    const { source: list } = source(() => ({ body: page([inner("a", 6)], { resourceVersion: "9" }) }));
    const answer = await list.list(configMaps, { match: "latest", alive: () => undefined }, never);
    const { events } = await stream({ body: frame("ADDED", object("a", 6)) });
    expect(answer.kind === "listed" ? answer.items : []).toEqual(events);
  });

  test("begins anew when its pages expire, and in the end asks for one piece", async () => {
    const { api, source: list } = source((path) => {
      if (path.includes("continue=")) return { status: 410, body: status(410) };
      const rest = path.includes("limit=") ? { continue: "next" } : {};
      return { body: page([inner("a", 1)], { resourceVersion: "9", ...rest }) };
    });
    const answer = await list.list(configMaps, { match: "latest", alive: () => undefined }, never);
    expect(answer).toMatchObject({ kind: "listed", version: "9", items: [{ name: "a" }] });
    expect(api.paths).toHaveLength(5);
    expect(api.paths.at(-1)).toBe("/api/v1/configmaps");
  });

  test.each([
    ["breaks off", { body: page([inner("a", 1)], { resourceVersion: "9" }).slice(0, -5) }, "undecodable"],
    ["loses its connection", { body: '{"items":[', breaks: true }, "broken"],
    ["names no version", { body: page([], {}) }, "undecodable"],
    [
      "holds something that is no object",
      { body: '{"metadata":{"resourceVersion":"9"},"items":[null]}' },
      "undecodable",
    ],
    ["fell out of the history", { status: 410, body: status(410) }, "gone"],
  ] as const)("one that %s is no list", async (_, answer, kind) => {
    const { source: list } = source(() => answer);
    const result = await list.list(configMaps, { match: "latest", alive: () => undefined }, never);
    expect(result).toMatchObject({ kind: "faulted", fault: { kind } });
  });

  test("the version is asked for by quorum, and no object can spoil it", async () => {
    const { api, source: list } = source(() => ({ body: '{"metadata":{"resourceVersion":"12"},"items":[{"bad":1}]}' }));
    expect(await list.version(configMaps, never)).toEqual({ kind: "counted", version: "12" });
    expect(api.paths).toEqual(["/api/v1/configmaps?limit=1"]);
  });

  test("an empty list may be null", async () => {
    const { source: list } = source(() => ({ body: '{"metadata":{"resourceVersion":"12"},"items":null}' }));
    const answer = await list.list(configMaps, { match: "latest", alive: () => undefined }, never);
    expect(answer).toEqual({ kind: "listed", version: "12", items: [] });
  });
});
