import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { connectApiServer } from "../../src/kubernetes/api-server.ts";
import type { HttpsApiServer } from "../../src/kubernetes/api-server.ts";
import { readText } from "../../src/kubernetes/body.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";

const never = new AbortController().signal;

describe("the connection to the API server", () => {
  const clock = createSimulatedClock();
  let directory = "";
  let meter = new FakeMeter();

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "kubescribe-kubeconfig-"));
    meter = new FakeMeter();
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const path = (): string => join(directory, "config");
  const connect = async (text: string): Promise<HttpsApiServer> => {
    await writeFile(path(), text);
    return connectApiServer({ kubeconfig: path(), clock, files: createNodeFileSystem(), meter, log: new FakeLog() });
  };

  test.each([
    ["no YAML", "a: [", "kubeconfig-invalid"],
    ["nothing", "", "kubeconfig-invalid"],
    ["another document", "kind: List", "kubeconfig-invalid"],
    [
      "a context that is not there",
      configText("https://127.0.0.1:1", "t").replace("current-context: one", "current-context: two"),
      "kubeconfig-invalid",
    ],
    ["a server that is no URL", configText("nowhere", "t"), "kubeconfig-invalid"],
    [
      "a CA that cannot be read",
      configText("https://127.0.0.1:1", "t", "certificate-authority: /nowhere/ca.crt"),
      "credentials-refused",
    ],
    ["plain http without saying so", configText("http://127.0.0.1:1", "t"), "credentials-refused"],
  ])("a kubeconfig with %s says what to do, and no secret", async (_, text, code) => {
    const refused = connect(text);
    await expect(refused).rejects.toMatchObject({ name: "KubescribeError", code });
    await expect(refused).rejects.not.toThrow("top-secret");
  });

  test("uses a token that changed on disk within the minute, and at once behind a 401 (K32)", async () => {
    const seen: (string | undefined)[] = [];
    await using server = await listen((authorization) => {
      seen.push(authorization);
      return authorization === "Bearer three" ? 401 : 200;
    });
    await using api = await connect(configText(server.url, "one", "insecure-skip-tls-verify: true"));
    const ask = async (): Promise<number> => {
      const response = await api.request({ method: "GET", path: "/version" }, never);
      await readText(response.body, 1000);
      return response.status;
    };
    await ask();
    await writeFile(path(), configText(server.url, "two", "insecure-skip-tls-verify: true"));
    await ask();
    clock.advance(30_000);
    await ask();
    await writeFile(path(), configText(server.url, "three", "insecure-skip-tls-verify: true"));
    clock.advance(30_000);
    expect(await ask()).toBe(401);
    await writeFile(path(), configText(server.url, "four", "insecure-skip-tls-verify: true"));
    await ask();
    await rm(path());
    clock.advance(30_000);
    await ask();
    expect(seen).toEqual(["one", "one", "two", "three", "four", "four"].map((token) => `Bearer ${token}`));
    expect(meter.counts.get("credentials_unreadable")).toBe(1);
    await writeFile(path(), "");
  });
});

function configText(server: string, token: string, cluster = "insecure-skip-tls-verify: false"): string {
  return `apiVersion: v1
kind: Config
current-context: one
clusters: [{name: one, cluster: {server: "${server}", ${cluster}}}]
users: [{name: one, user: {token: ${token === "t" ? "top-secret" : token}}}]
contexts: [{name: one, context: {cluster: one, user: one}}]
`;
}

async function listen(
  answer: (authorization: string | undefined) => number,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    response.writeHead(answer(request.headers.authorization)).end("{}");
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}
