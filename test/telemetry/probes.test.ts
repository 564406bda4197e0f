import { expect, test } from "vitest";
import type { Condition } from "../../src/telemetry/probes.ts";
import { startProbeServer } from "../../src/telemetry/probes.ts";

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function start(
  parts: { readonly ready?: () => readonly Condition[]; readonly exposition?: () => Promise<string> } = {},
) {
  return startProbeServer({
    host: "127.0.0.1",
    port: 0,
    exposition: parts.exposition ?? (() => Promise.resolve("a 1\n")),
    live: () => [],
    ready: parts.ready ?? (() => []),
    log,
  });
}

test("serves metrics and probes", async () => {
  let synced = false;
  await using server = await start({
    ready: () => [
      { name: "repository a/b", ok: true, reason: "" },
      { name: "watch core/configmaps", ok: synced, reason: "it is listing" },
    ],
  });
  const url = `http://127.0.0.1:${server.address.port}`;
  const metrics = await fetch(`${url}/metrics`);
  expect(metrics.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await metrics.text()).toBe("a 1\n");
  expect((await fetch(`${url}/livez?verbose`)).status).toBe(200);
  const before = await fetch(`${url}/readyz`);
  expect(before.status).toBe(503);
  expect(await before.text()).toBe("[+] repository a/b\n[-] watch core/configmaps: it is listing\nfailed: 1 of 2\n");
  synced = true;
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: "POST" })).status).toBe(405);
});

test("a metric that cannot be read is a 500, and the server goes on", async () => {
  await using server = await start({ exposition: () => Promise.reject(new Error("broken")) });
  const url = `http://127.0.0.1:${server.address.port}`;
  expect((await fetch(`${url}/metrics`)).status).toBe(500);
  expect((await fetch(`${url}/livez`)).status).toBe(200);
});

test("an address that is taken is a clear message", async () => {
  await using first = await start();
  const second = startProbeServer({
    ...first.address,
    exposition: () => Promise.resolve(""),
    live: () => [],
    ready: () => [],
    log,
  });
  await expect(second).rejects.toThrow(
    /expected a free address of this machine, found EADDRINUSE\. Choose another --metrics-address/,
  );
});
