/** Connections that break, servers that are full, slow or not atomic. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { KubescribeError } from "../../machines/error.ts";
import type { Push, PushResult, RefUpdate, Remote } from "../../src/remote/remote.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import { HttpBackend } from "./http-backend.ts";
import { opened, patient } from "./opened.ts";
import { branch, git, stateRef } from "./repositories.ts";
import { Served } from "./served.ts";

const served = Served.throughout();
let proxy: CuttingProxy;

beforeEach(async () => {
  proxy = await CuttingProxy.start(served.backend.port);
});
afterEach(() => proxy[Symbol.asyncDispose]());

const through = (options: Parameters<typeof opened>[1] = {}): Remote =>
  opened(`http://127.0.0.1:${proxy.port}/${served.name}`, options);
const refsOf = (): ReadonlyMap<string, string> =>
  new Map(
    git(served.path, ["for-each-ref", "--format=%(refname) %(objectname)"])
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => [line.slice(0, -41), line.slice(-40)]),
  );
const pushOf = (sizeBytes = 100): Push => {
  const [commit, state] = [served.source.commit("", { sizeBytes }), served.source.blob(`state of ${served.name}`)];
  const updates: readonly RefUpdate[] = [
    { ref: branch, from: "", to: commit },
    { ref: stateRef, from: "", to: state },
  ];
  return { updates, pack: served.source.pack([commit, state], [], 1000) };
};
const none: ReadonlyMap<string, string> = new Map([branch, stateRef].map((ref) => [ref, ""]));
/** How a push ended; where it was rejected, everything stands as `found` says. */
const codeOf = async (pushing: Promise<PushResult>, found?: ReadonlyMap<string, string>): Promise<string> => {
  try {
    const result = await pushing;
    if (result.kind === "pushed") return "pushed";
    if (found !== undefined) expect(result.found).toEqual(found);
    return result.error.code;
  } catch (error) {
    return `thrown ${error instanceof KubescribeError ? error.code : String(error)}`;
  }
};
const wanted = ({ updates }: Push): ReadonlyMap<string, string> => new Map(updates.map(({ ref, to }) => [ref, to]));

describe("a connection that is cut", () => {
  test("on the way there: nothing moved, it says so, and the same push goes on", async () => {
    const push = pushOf(20_000);
    const codes = new Set<string>();
    // Before the pack come headers and commands: less than all of its bytes is never all of them.
    for (let up = 0; up < (push.pack?.sizeBytes ?? 0); up += up < 1500 ? 75 : 3000) {
      proxy.cuts.push({ up });
      codes.add(await codeOf(through().push(push, patient), none));
      expect(refsOf()).toEqual(new Map());
    }
    // What was cut before anything was sent is unreachable.
    expect([...codes].toSorted()).toEqual(["remote-cut", "thrown remote-unreachable"]);
    expect(await through().push(push, patient)).toEqual({ kind: "pushed" });
    expect(refsOf()).toEqual(wanted(push));
    expect(git(served.path, ["fsck", "--strict"])).toBe("");
  });

  test("on the way back: what was read counts, or the push is cut and ends with the next", async () => {
    const codes = new Set<string>();
    for (let down = 0; down < 1200; down += 150) {
      served.renew({});
      const push = pushOf();
      proxy.cuts.push({ down });
      const code = await codeOf(through().push(push, patient));
      codes.add(code);
      if (code === "pushed") expect(refsOf()).toEqual(wanted(push));
      expect(await through().push(push, patient)).toEqual({ kind: "pushed" });
      expect(refsOf()).toEqual(wanted(push));
    }
    // The server may be done before it is read back, or after.
    expect([...codes]).toContain("pushed");
    expect(["pushed", "remote-cut", "thrown remote-unreachable"]).toEqual(expect.arrayContaining([...codes]));
  });

  test("while it is read back: nothing is known", async () => {
    const push = pushOf();
    proxy.cuts.push(null, { down: 10 });
    await expect(through().push(push, patient)).rejects.toMatchObject({ code: "remote-unknown", retry: "backoff" });
    expect(refsOf()).toEqual(wanted(push));
    expect(await through().push(push, patient)).toEqual({ kind: "pushed" });
  });
});

test("the refs are asked for and the pack is sent on one connection, however late the answer ends", async () => {
  proxy.cuts.push({ late: true });
  expect(await through().push(pushOf(), patient)).toEqual({ kind: "pushed" });
  const [asked, sent, readBack] = served.backend.seen.map(({ port }) => port);
  expect(sent).toBe(asked);
  expect(readBack).not.toBe(sent);
});

test("a slow way is a way", async () => {
  const push = pushOf(200_000);
  // Slower in small pieces: one of them may hold half a packet, or half a header.
  proxy.cuts.push({ throttle: 1013 }, { throttle: 7 });
  expect(await through().push(push, patient)).toEqual({ kind: "pushed" });
  expect(refsOf()).toEqual(wanted(push));
});

describe("a server that takes nothing", () => {
  test("holds the pack back, and is given up once it was silent for so long", async () => {
    let given = 0;
    const sizeBytes = 64 << 20;
    const chunk = Buffer.alloc(64 << 10);
    const pack = {
      sizeBytes,
      async *chunks() {
        while (given < sizeBytes) {
          given += chunk.length;
          yield chunk;
        }
      },
    };
    // In the head of the second request.
    proxy.cuts.push({ up: 400, hold: true });
    const updates = [{ ref: branch, from: "", to: served.source.commit("") }];
    const result = await through({ patience: { silenceMs: 500 } }).push({ updates, pack }, patient);
    expect(result).toMatchObject({ kind: "rejected", error: { code: "remote-cut" } });
    // What the system's own buffers take.
    expect(given).toBeLessThan(sizeBytes / 2);
  });

  test("is waited for as long as was said, by the clock that was given", async () => {
    const clock = createSimulatedClock();
    proxy.cuts.push({ down: 0, hold: true });
    const reading = through({ clock, patience: { silenceMs: 30_000 } }).refs([branch], patient);
    const result = reading.catch((error: unknown) => error);
    await backendSees(1);
    clock.advance(29_999);
    expect(await Promise.race([result, turns("waiting")])).toBe("waiting");
    clock.advance(1);
    expect(await result).toMatchObject({ code: "remote-unreachable" });
  });
});

/** After what was aborted would have been told. */
async function turns(value: string): Promise<string> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  return value;
}

/** The server has taken so many requests. */
async function backendSees(requests: number): Promise<void> {
  while (served.backend.seen.length < requests) await new Promise((resolve) => setImmediate(resolve));
}

test("whoever waits can stop waiting", async () => {
  const controller = new AbortController();
  proxy.cuts.push({ down: 0, hold: true });
  const reading = through().refs([branch], controller.signal);
  await backendSees(1);
  controller.abort(new Error("enough"));
  await expect(reading).rejects.toThrow("enough");
  await expect(through().push(pushOf(), controller.signal)).rejects.toThrow("enough");
});

test("a pack that cannot be read is the reader's error, and moves nothing", async () => {
  const push = pushOf();
  const broken = {
    sizeBytes: 1000,
    async *chunks() {
      yield Buffer.alloc(10);
      throw new Error("EIO: the disk");
    },
  };
  await expect(through().push({ ...push, pack: broken }, patient)).rejects.toThrow("EIO: the disk");
  const short = { sizeBytes: 1000, chunks: () => push.pack?.chunks() ?? broken.chunks() };
  await expect(through().push({ ...push, pack: short }, patient)).rejects.toThrow(RangeError);
  expect(refsOf()).toEqual(new Map());
});

describe("a server that is not atomic", () => {
  const declining = (pattern: string): void => {
    const hook = `#!/bin/sh\ncase $1 in ${pattern}) echo "protected" >&2; exit 1;; esac\n`;
    writeFileSync(join(served.path, "hooks", "update"), hook, { mode: 0o755 });
  };

  test("gets the branch, and once that is read the state ref", async () => {
    served.renew({ "receive.advertiseAtomic": "false" });
    const push = pushOf();
    expect(await through().push(push, patient)).toEqual({ kind: "pushed" });
    expect(served.backend.seen.map(({ method }) => method)).toEqual(["GET", "POST", "GET", "POST", "GET"]);
    expect(refsOf()).toEqual(wanted(push));
  });

  test("gets no state ref where the branch is declined", async () => {
    served.renew({ "receive.advertiseAtomic": "false" });
    declining("refs/heads/*");
    const result = await through().push(pushOf(), patient);
    expect(result).toMatchObject({ kind: "rejected", error: { code: "remote-declined" } });
    expect(refsOf()).toEqual(new Map());
    expect(served.backend.seen.map(({ method }) => method)).toEqual(["GET", "POST", "GET"]);
  });

  test("keeps the branch where the state ref is declined, and says so", async () => {
    served.renew({ "receive.advertiseAtomic": "false" });
    declining("refs/kubescribe/*");
    const push = pushOf();
    const [{ to } = { to: "" }] = push.updates;
    const result = await through().push(push, patient);
    expect(result).toMatchObject({ kind: "rejected", error: { code: "remote-declined" } });
    expect(result).toMatchObject({
      found: new Map([
        [branch, to],
        [stateRef, ""],
      ]),
    });
    expect(refsOf()).toEqual(new Map([[branch, to]]));
  });

  test("that is atomic moves neither", async () => {
    declining("refs/kubescribe/*");
    const result = await through().push(pushOf(), patient);
    expect(result).toMatchObject({ kind: "rejected", error: { code: "remote-declined" } });
    expect(refsOf()).toEqual(new Map());
  });
});

describe("a server's refusal", () => {
  test("is a quota where its disk is full", async () => {
    await using full = await HttpBackend.start({ root: served.root, fileLimitKib: 64 });
    const result = await opened(full.url(served.name)).push(pushOf(1_000_000), patient);
    expect(result).toMatchObject({ kind: "rejected", error: { code: "remote-quota" } });
    expect(refsOf()).toEqual(new Map());
  });

  test("is a quota where a push is too large", async () => {
    served.renew({ "receive.maxInputSize": "10k" });
    const result = await through().push(pushOf(100_000), patient);
    expect(result).toMatchObject({ kind: "rejected", error: { code: "remote-quota" } });
  });

  test("is that of a remote that is only read", async () => {
    served.renew({ "http.receivepack": "false" });
    expect(await codeOf(through().push(pushOf(), patient))).toBe("thrown remote-unauthorized");
  });

  test("of a branch that it hides leaves the state ref moved, atomic or not; and that is told", async () => {
    served.renew({ "receive.hideRefs": "refs/heads" });
    const push = pushOf();
    const result = await through().push(push, patient);
    const to = push.updates[1]?.to;
    expect(refsOf()).toEqual(new Map([[stateRef, to]]));
    expect(result).toMatchObject({ kind: "rejected", error: { code: "remote-declined" } });
    expect(result).toMatchObject({
      found: new Map([
        [branch, ""],
        [stateRef, to],
      ]),
    });
  });

  test("of objects that are not there moves nothing", async () => {
    const push = pushOf();
    const other = served.source.commit("");
    const result = await through().push({ ...push, pack: served.source.pack([other]) }, patient);
    expect(result).toMatchObject({ kind: "rejected", error: { code: "remote-refused" } });
    expect(refsOf()).toEqual(new Map());
  });
});
