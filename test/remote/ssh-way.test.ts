/** The way to an SSH server, up to where one would answer. What real ones do is in test/e2e/remote-ssh.test.ts. */

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { RemoteOptions } from "../../src/remote/open-remote.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { opened, patient, secretAt } from "./opened.ts";
import { type Place, temporaryPlace } from "./repositories.ts";

let place: Place;
let server: Server;
let options: Partial<RemoteOptions>;
let url = "";
let connected: Promise<Socket>;

beforeEach(async () => {
  place = temporaryPlace();
  const { promise, resolve } = Promise.withResolvers<Socket>();
  connected = promise;
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    resolve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `ssh://git@127.0.0.1:${(server.address() as AddressInfo).port}/x.git`;
  const credentialsDirectory = secretAt(join(place.path, "secret"), { known_hosts: "example.com ssh-ed25519 AAAA\n" });
  options = { credentialsDirectory, environment: { SSH_AUTH_SOCK: join(place.path, "agent") } };
});
afterEach(async () => {
  (await Promise.race([connected, Promise.resolve(null)]))?.destroy();
  await new Promise((resolve) => server.close(resolve));
  place[Symbol.dispose]();
});

test("a server that says nothing is not waited for longer than a connection may take", async () => {
  const clock = createSimulatedClock();
  const reading = opened(url, { ...options, clock, patience: { connectMs: 5000 } }).refs([], patient);
  const result = reading.catch((error: unknown) => error);
  await connected;
  clock.advance(4999);
  expect(await Promise.race([result, new Promise((resolve) => setImmediate(resolve, "waiting"))])).toBe("waiting");
  clock.advance(1);
  expect(await result).toMatchObject({ code: "remote-unreachable" });
  expect(clock.armed).toBe(0);
});

test("whoever waits can stop waiting", async () => {
  const controller = new AbortController();
  const reading = opened(url, options).refs([], controller.signal);
  await connected;
  controller.abort(new Error("enough"));
  await expect(reading).rejects.toThrow("enough");
  await expect(opened(url, options).refs([], controller.signal)).rejects.toThrow("enough");
});

test.each(["", "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-1.5-old\r\n"])(
  "a server that says %j is none",
  async (greeting) => {
    const reading = opened(url, options).refs([], patient);
    (await connected).end(greeting);
    await expect(reading).rejects.toMatchObject({ code: "remote-unreachable" });
  },
);

test("nobody listens", async () => {
  const reading = opened("ssh://git@127.0.0.1:1/x.git", options).refs([], patient);
  await expect(reading).rejects.toMatchObject({ code: "remote-unreachable" });
});
