/** A remote whose name leads where nobody is to be spoken to. */

import { generateKeyPairSync } from "node:crypto";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";

import { opened, patient, secretAt } from "./opened.ts";

let server: Server;
let connections = 0;
let directory = "";

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "kubescribe-guard-"));
  server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});
const port = (): number => (server.address() as AddressInfo).port;
const byAddress = (host: string): boolean => host.startsWith("127.") || host === "::1";

test.each([
  ["http, by what its name resolves to", () => `http://localhost:${port()}/a.git`],
  ["http, by its address", () => `http://127.0.0.1:${port()}/a.git`],
  ["ssh, by what its name resolves to", () => `ssh://git@localhost:${port()}/a.git`],
  ["ssh, by its address", () => `ssh://git@127.0.0.1:${port()}/a.git`],
])("is not connected to over %s", async (_way, url) => {
  const credentialsDirectory = secretAt(join(directory, "secret"), {
    known_hosts: "localhost ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "ssh-privatekey": privateKey,
  });
  const guarded = opened(url(), {
    refusesHost: byAddress,
    credentialsDirectory: url().startsWith("ssh") ? credentialsDirectory : null,
  });
  await expect(guarded.refs(["refs/heads/"], patient)).rejects.toThrow(/inside of the cluster/);
  expect(connections).toBe(0);
});

test("is connected to where nobody minds", async () => {
  await expect(opened(`http://localhost:${port()}/a.git`).refs(["refs/heads/"], patient)).rejects.toThrow();
  expect(connections).toBeGreaterThan(0);
});
