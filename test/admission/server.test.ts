import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request } from "node:https";
import type { Server } from "node:https";
import { connect as connectPlain } from "node:net";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";

import { afterEach, beforeAll, describe, expect, test } from "vitest";

import type { Clock, FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { CertificatePair } from "../../src/admission/certificates.ts";
import type { AdmissionServer, AdmissionServerOptions } from "../../src/admission/server.ts";
import { startAdmissionServer } from "../../src/admission/server.ts";
import { nodeClock } from "../../src/composition/node-clock.ts";
import { makeCertificate } from "../../src/simulator/certificate.ts";
import type { SelfMadeCertificate } from "../../src/simulator/certificate.ts";
import type { SimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { createSimulatedClock, settled } from "../../src/simulation/simulated-clock.ts";
import type { Recorder } from "./recorder.ts";
import { createRecorder } from "./recorder.ts";

interface World {
  readonly server: AdmissionServer;
  readonly recorder: Recorder;
  readonly clock: SimulatedClock;
  readonly disk: Map<string, string>;
  /** `blind REASON` and `seeing`. */
  readonly sight: readonly string[];
  readonly listener: () => Server;
}

let one: SelfMadeCertificate;
let other: SelfMadeCertificate;
let world: World | null = null;
const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });

beforeAll(async () => {
  const clock = { nowMs: () => 1_790_000_000_000 };
  [one, other] = await Promise.all([makeCertificate("one", clock), makeCertificate("other", clock)]);
});

afterEach(async () => {
  agent.destroy();
  await world?.server[Symbol.asyncDispose]();
  world = null;
});

/** Answers `echo: BODY`; a body of `wait` is answered when the test says so, `bad` is refused, `bug` throws. */
const gates: PromiseWithResolvers<undefined>[] = [];
async function echo(body: Uint8Array): Promise<string> {
  const text = Buffer.from(body).toString();
  if (text === "bad") throw new KubescribeError("review-malformed", "expected better", { retry: "never" });
  if (text === "bug") throw new TypeError("secret");
  if (text === "wait") {
    const gate = Promise.withResolvers<undefined>();
    gates.push(gate);
    await gate.promise;
  }
  return text.length > 100 ? String(text.length) : `echo: ${text}`;
}

async function start(overrides: Partial<AdmissionServerOptions> = {}): Promise<World> {
  const recorder = createRecorder();
  const clock = createSimulatedClock();
  // The sockets are real, and so are the loop's turns.
  const turns: Clock = { ...clock, after: (ms, task) => (ms > 0 ? clock : nodeClock).after(ms, task) };
  const disk = new Map([
    ["/tls.crt", one.certificatePem],
    ["/tls.key", one.keyPem],
  ]);
  const sight: string[] = [];
  const listeners: Server[] = [];
  const files: Pick<FileSystem, "readFile"> = {
    readFile: async (path) => {
      await Promise.resolve();
      const text = disk.get(path);
      if (text === undefined) throw Object.assign(new Error("gone"), { code: "ENOENT" });
      return Buffer.from(text);
    },
  };
  const server = await startAdmissionServer({
    host: "127.0.0.1",
    port: 0,
    paths: ["/correlate"],
    certificate: { certFile: "/tls.crt", keyFile: "/tls.key" },
    handleReview: echo,
    clock: turns,
    files,
    meter: recorder.meter,
    log: recorder.log,
    onBlind: (reason) => sight.push(`blind ${reason}`),
    onSeeing: () => sight.push("seeing"),
    createServer: ((...given: Parameters<typeof createServer>) => {
      const made = createServer(...given);
      listeners.push(made);
      return made;
    }) as typeof createServer,
    ...overrides,
  });
  const listener = (): Server => {
    const made = listeners[0];
    if (made === undefined) throw new Error("expected a listener");
    return made;
  };
  world = { server, recorder, clock, disk, sight, listener };
  return world;
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly subject: string;
}

async function post(to: World, path: string, body: string, method = "POST"): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: "127.0.0.1", port: to.server.address.port, path, method }, (response) => {
      const subject = String((response.socket as TLSSocket).getPeerCertificate().subject?.CN);
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), subject });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function rejections(recorder: Recorder): number {
  return ["aborted", "http", "connection"].reduce(
    (sum, reason) => sum + recorder.counted(`webhook_rejected{${reason}}`),
    0,
  );
}

/** A connection on which a test writes what it wants. */
async function raw(to: World, servername = "hook"): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { port } = to.server.address;
    const socket = connect({ host: "127.0.0.1", port, servername, rejectUnauthorized: false }, () => {
      resolve(socket);
    });
    socket.on("error", reject);
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settled();
}

describe("what is answered", () => {
  test("a review, with the query that the API server appends", async () => {
    const w = await start();
    expect(await post(w, "/correlate?timeout=10s", "hello")).toMatchObject({ status: 200, body: "echo: hello" });
    expect(w.sight).toEqual(["seeing"]);
  });

  test("a review of several megabytes", async () => {
    const w = await start();
    expect(await post(w, "/correlate", "x".repeat(8_000_000))).toMatchObject({ status: 200, body: "8000000" });
  });

  test.each([
    ["/", "POST"],
    ["/correlate/", "POST"],
    ["/correlateX", "POST"],
    ["/correlate", "GET"],
    ["//correlate", "POST"],
  ])("%s %s is 404 and counted", async (path, method) => {
    const w = await start();
    expect(await post(w, path, "", method)).toMatchObject({ status: 404, body: "" });
    expect(w.recorder.counted("webhook_rejected{path}")).toBe(1);
  });

  test("a path with an unguessable segment", async () => {
    const w = await start({ paths: ["/correlate/8f2c"] });
    expect((await post(w, "/correlate", "x")).status).toBe(404);
    expect((await post(w, "/correlate/8f2c", "x")).status).toBe(200);
  });

  test("several paths, which are exchanged while it runs", async () => {
    const w = await start({ paths: ["/correlate/one", "/correlate/two"] });
    const statuses = async (): Promise<readonly number[]> =>
      await Promise.all(["one", "two", "three"].map(async (each) => (await post(w, `/correlate/${each}`, "x")).status));
    expect(await statuses()).toEqual([200, 200, 404]);
    w.server.takePaths(["/correlate/two", "/correlate/three"]);
    expect(await statuses()).toEqual([404, 200, 200]);
    w.server.takePaths([]);
    expect(await statuses()).toEqual([404, 404, 404]);
    expect(w.recorder.counted("webhook_rejected{path}")).toBe(5);
  });

  test("a question whether reviews arrive is answered with a warning, and is no review", async () => {
    const w = await start({ paths: ["/correlate/8f2c", "/at/reach"] });
    const asked = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: { uid: "u1" } };
    const { status, body } = await post(w, "/correlate/8f2c/reach?timeout=2s", JSON.stringify(asked));
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid: "u1", allowed: true, warnings: ["kubescribe: this review arrived"] },
    });
    expect((await post(w, "/correlate/8f2c/reach", "nonsense")).status).toBe(200);
    expect((await post(w, "/correlate/8f2d/reach", "x")).status).toBe(404);
    expect((await post(w, "/reach", "x")).status).toBe(404);
    expect((await post(w, "/correlate/8f2c/reach/reach", "x")).status).toBe(404);
    // A path may end so by itself.
    expect((await post(w, "/at/reach", "x")).body).toBe("echo: x");
  });

  test("what the handler refuses is 400, a bug is 500 without its text", async () => {
    const w = await start();
    expect(await post(w, "/correlate", "bad")).toMatchObject({ status: 400, body: "expected better\n" });
    expect(await post(w, "/correlate", "bug")).toMatchObject({ status: 500, body: "" });
    expect(w.recorder.counted("webhook_faults{handler}")).toBe(1);
    expect((await post(w, "/correlate", "x")).status).toBe(200);
  });

  test("a body above the bound is 413, by its header or by its bytes", async () => {
    const w = await start({ maxBodyBytes: 1000 });
    for (const header of ["content-length: 1001", "transfer-encoding: chunked"]) {
      const socket = await raw(w);
      const text: string[] = [];
      socket.on("data", (chunk: Buffer) => text.push(chunk.toString()));
      socket.write(`POST /correlate HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n`);
      if (header.startsWith("transfer")) socket.write(`3e9\r\n${"x".repeat(1001)}\r\n`);
      await new Promise((resolve) => socket.on("close", resolve));
      expect(text.join("")).toMatch(/^HTTP\/1.1 413 /);
    }
    expect(w.recorder.counted("webhook_rejected{too-large}")).toBe(2);
  });

  test("more bodies than memory is set aside for are 503", async () => {
    const w = await start({ maxTotalBodyBytes: 1500 });
    const socket = await raw(w);
    const head = "POST /correlate HTTP/1.1\r\nhost: x\r\ncontent-length: 1200\r\n\r\n";
    socket.write(head + "x".repeat(1000));
    let status = 0;
    while (status !== 503) ({ status } = await post(w, "/correlate", "y".repeat(900)));
    socket.write("x".repeat(200));
    const reply = await new Promise<string>((resolve) =>
      socket.once("data", (chunk: Buffer) => {
        resolve(chunk.toString());
      }),
    );
    expect(reply).toMatch(/^HTTP\/1.1 200 /);
    expect(await post(w, "/correlate", "y".repeat(900))).toMatchObject({ status: 200 });
    socket.destroy();
  });
});

describe("what clients do", () => {
  test.each([
    ["in the middle of a body", "POST /correlate HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf"],
    [
      "in the middle of a chunked body",
      "POST /correlate HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe",
    ],
  ])("one vanishes %s: counted, and the next is served", async (_name, text) => {
    const w = await start();
    for (const leave of ["destroy", "end"] as const) {
      const socket = await raw(w);
      socket.on("error", () => undefined);
      await new Promise((resolve) => socket.write(text, resolve));
      socket[leave]();
    }
    await until(() => rejections(w.recorder) >= 2);
    expect((await post(w, "/correlate", "x")).status).toBe(200);
  });

  test("one vanishes before the answer", async () => {
    const w = await start();
    const socket = await raw(w);
    socket.write("POST /correlate HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nwait");
    await until(() => gates.length === 1);
    socket.destroy();
    await settled();
    gates.pop()?.resolve(undefined);
    expect((await post(w, "/correlate", "x")).status).toBe(200);
  });

  test("one speaks no TLS, another no HTTP", async () => {
    const w = await start();
    const plain = connectPlain({ host: "127.0.0.1", port: w.server.address.port });
    plain.write("POST /correlate HTTP/1.1\r\n\r\n");
    plain.resume();
    await new Promise((resolve) => plain.on("close", resolve));
    expect(w.recorder.counted("webhook_rejected{connection}")).toBe(1);
    const socket = await raw(w);
    socket.write("hello\r\n\r\n");
    await new Promise((resolve) => socket.on("close", resolve));
    expect(w.recorder.counted("webhook_rejected{http}")).toBe(1);
    expect((await post(w, "/correlate", "x")).status).toBe(200);
  });
});

describe("certificates", () => {
  test("exchanged on disk, the new one is shown, and open connections live on", async () => {
    const w = await start();
    expect((await post(w, "/correlate", "x")).subject).toBe("one");
    w.disk.set("/tls.crt", other.certificatePem);
    await w.clock.run(5000);
    // Its key is not there yet.
    expect(w.recorder.counted("webhook_certificate_errors")).toBe(1);
    const early = await raw(w);
    expect(early.getPeerCertificate().subject?.CN).toBe("one");
    early.destroy();
    w.disk.set("/tls.key", other.keyPem);
    await w.clock.run(5000);
    await until(() => w.recorder.counted("webhook_certificate_reloads") === 1);
    expect((await post(w, "/correlate", "x")).subject).toBe("one");
    const fresh = await raw(w);
    expect(fresh.getPeerCertificate().subject?.CN).toBe("other");
    fresh.destroy();
    w.disk.delete("/tls.key");
    await w.clock.run(10_000);
    expect(w.recorder.lines.filter((line) => line.startsWith("The old certificate"))).toHaveLength(2);
    expect((await post(w, "/correlate", "x")).status).toBe(200);
  });

  test("handed in, the next one is shown; one that cannot be used is refused, and the old one stays", async () => {
    const pair = ({ certificatePem, keyPem }: SelfMadeCertificate): CertificatePair => ({
      cert: Buffer.from(certificatePem),
      key: Buffer.from(keyPem),
    });
    const w = await start({ certificate: pair(one) });
    const subject = async (): Promise<string> => {
      const fresh = await raw(w);
      const shown = String(fresh.getPeerCertificate().subject?.CN);
      fresh.destroy();
      return shown;
    };
    expect(await subject()).toBe("one");
    expect(w.recorder.gauged("webhook_certificate_expiry_timestamp_seconds")).toBe(1_790_000_000 + 7 * 24 * 3600);
    w.server.showCertificate(pair(other));
    expect(await subject()).toBe("other");
    expect(() => w.server.showCertificate({ ...pair(one), key: pair(other).key })).toThrow(/cannot be used/);
    expect(() => w.server.showCertificate({ cert: Buffer.from("x"), key: Buffer.from("y") })).toThrow(KubescribeError);
    expect(await subject()).toBe("other");
    expect(w.clock.armed).toBe(0);
  });

  test("handed in for one name, it is shown to who asks for that, and to nobody else", async () => {
    const w = await start();
    const subject = async (name: string): Promise<string> => {
      const fresh = await raw(w, name);
      const shown = String(fresh.getPeerCertificate().subject?.CN);
      fresh.destroy();
      return shown;
    };
    expect(await subject("peer")).toBe("one");
    w.server.showCertificate({ cert: Buffer.from(other.certificatePem), key: Buffer.from(other.keyPem) }, "peer");
    expect([await subject("peer"), await subject("hook")]).toEqual(["other", "one"]);
    expect(() => w.server.showCertificate({ cert: Buffer.from("x"), key: Buffer.from("y") }, "peer")).toThrow(
      KubescribeError,
    );
    expect([await subject("peer"), await subject("hook")]).toEqual(["other", "one"]);
  });

  test.each<[string, Partial<AdmissionServerOptions>, RegExp]>([
    [
      "no file",
      { certificate: { certFile: "/absent.crt", keyFile: "/tls.key" } },
      /\/absent\.crt cannot be read.*ENOENT.*--tls-cert-file/,
    ],
    [
      "no certificate",
      { certificate: { certFile: "/tls.key", keyFile: "/tls.key" } },
      /cannot be used.*--tls-key-file/,
    ],
  ])("at the start, %s is an error that says what to do", async (_name, overrides, message) => {
    await expect(start(overrides)).rejects.toMatchObject({
      code: "tls-files",
      retry: "never",
      message: expect.stringMatching(message) as string,
    });
  });
});

describe("the listener", () => {
  test("an address in use is an error that says so", async () => {
    const { server } = await start();
    await expect(start({ port: server.address.port })).rejects.toMatchObject({
      code: "admission-listen",
      message: expect.stringMatching(/EADDRINUSE.*--admission-address/) as string,
    });
  });

  test("that fails is told, and bound again", async () => {
    const w = await start();
    agent.destroy();
    w.listener().close();
    await until(() => w.sight.length === 2);
    expect(w.sight).toEqual(["seeing", "blind closed"]);
    await w.clock.run(500);
    await until(() => w.sight.length === 3);
    expect(w.sight[2]).toBe("seeing");
    expect((await post(w, "/correlate", "x")).status).toBe(200);
  });

  test("an accept that fails is a blind time", async () => {
    const w = await start();
    w.listener().emit("error", Object.assign(new Error("x"), { code: "EMFILE" }));
    await w.clock.run(500);
    expect(w.sight).toEqual(["seeing", "blind EMFILE", "seeing"]);
  });
});

describe("close", () => {
  test("answers what is in flight, and takes no more", async () => {
    const w = await start();
    await post(w, "/correlate", "x");
    const pending = post(w, "/correlate", "wait");
    await until(() => gates.length === 1);
    const closing = w.server[Symbol.asyncDispose]();
    gates.pop()?.resolve(undefined);
    expect(await pending).toMatchObject({ status: 200, body: "echo: wait" });
    await closing;
    await expect(post(w, "/correlate", "x")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(w.sight).toEqual(["seeing", "blind closed"]);
    expect(w.clock.armed).toBe(0);
  });

  test("lets out what is answered, however large it is", async () => {
    const large = "x".repeat(20_000_000);
    const w = await start({ handleReview: () => Promise.resolve(large) });
    const { port } = w.server.address;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request({ agent, host: "127.0.0.1", port, path: "/correlate", method: "POST" }, resolve).on("error", reject).end();
    const response = await promise;
    const closing = w.server[Symbol.asyncDispose]();
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(large.length);
    await closing;
    expect(w.clock.armed).toBe(0);
  });

  test("waits for nobody who had gone before he was answered", async () => {
    const w = await start();
    const { port } = w.server.address;
    const gone = Promise.withResolvers<undefined>();
    w.listener().once("request", (_, response: ServerResponse) => response.once("close", gone.resolve));
    const sent = request({ host: "127.0.0.1", port, path: "/correlate", method: "POST", rejectUnauthorized: false });
    sent.on("error", () => undefined).end("wait");
    await until(() => gates.length === 1);
    sent.destroy();
    await gone.promise;
    gates.pop()?.resolve(undefined);
    await settled();
    // By a clock that stands still, so that no patience ends it.
    await w.server[Symbol.asyncDispose]();
    expect(w.clock.armed).toBe(0);
  });

  test("does not wait for ever for who does not read", async () => {
    const w = await start({ handleReview: () => Promise.resolve("x".repeat(20_000_000)) });
    const { port } = w.server.address;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request({ agent, host: "127.0.0.1", port, path: "/correlate", method: "POST" }, resolve).on("error", reject).end();
    const response = await promise;
    response.on("error", () => undefined);
    const closing = w.server[Symbol.asyncDispose]();
    await w.clock.run(5000);
    await closing;
    expect(w.clock.armed).toBe(0);
  });

  test("does not wait for ever", async () => {
    const w = await start();
    const pending = post(w, "/correlate", "wait");
    pending.catch(() => undefined);
    await until(() => gates.length === 1);
    const closing = w.server[Symbol.asyncDispose]();
    await w.clock.run(5000);
    await closing;
    await expect(pending).rejects.toMatchObject({ code: "ECONNRESET" });
    gates.pop()?.resolve(undefined);
  });
});

test("connections outlive those of the API server", async () => {
  const w = await start();
  expect(w.listener().keepAliveTimeout).toBeGreaterThan(90_000);
});

// The real ports, once: what a fake cannot get wrong.
test("real files", async () => {
  const read: string[] = [];
  const clock: Clock = createSimulatedClock();
  const files = { readFile: async (path: string): Promise<Uint8Array> => (read.push(path), readFile(path)) };
  await expect(
    start({ clock, files, certificate: { certFile: import.meta.filename, keyFile: import.meta.filename } }),
  ).rejects.toMatchObject({ code: "tls-files" });
  expect(read).toHaveLength(2);
});
