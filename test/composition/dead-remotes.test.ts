/** Real processes: a first start whose remotes do not answer holds up neither the watch nor anybody else, and nothing is lost on the way. */

import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import { ALICE, BOB, CAROL } from "../../src/commands/demo-people.ts";
import type { User } from "../../src/simulator/review.ts";
import { eventually } from "../controlplane/eventually.ts";
import { HttpBackend } from "../remote/http-backend.ts";
import { git, makeRepository } from "../remote/repositories.ts";
import { TurnedOff } from "../remote/turned-off.ts";
import { PlayedHouse } from "./played-house.ts";

/** More than the longest wait between two tries. */
const timeoutMs = 60_000;
const collection = "/api/v1/namespaces/default/configmaps";

/** A target of ConfigMaps alone. */
function rulesOf(name: string, url: string): string {
  const metadata = { name, namespace: "default" };
  const documents = [
    { kind: "GitRepoConfig", metadata, spec: { url, branch: "main", path: "demo" } },
    {
      kind: "ClusterWatchRule",
      metadata: { name },
      spec: { repo: metadata, rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }] },
    },
  ];
  const texts = documents.map((each) => JSON.stringify({ apiVersion: "kubescribe.dev/v1alpha1", ...each }));
  return texts.map((text) => `\n---\n${text}\n`).join("");
}

test("others commit and push at once, and all is caught up with by its authors", async () => {
  await using stack = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "kubescribe-dead-"));
  stack.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  const root = join(directory, "remotes");
  const backend = stack.use(await HttpBackend.start({ root }));
  const closed = stack.use(await TurnedOff.start(backend.port));
  const silent = stack.use(await TurnedOff.start(backend.port));
  const ports = { well: backend.port, closed: closed.port, silent: silent.port };
  for (const name of Object.keys(ports)) makeRepository(join(root, `${name}.git`));
  const house = stack.use(await PlayedHouse.open(join(directory, "house")));
  for (const [name, port] of Object.entries(ports))
    appendFileSync(house.place.rulesFile, rulesOf(name, `http://127.0.0.1:${port}/${name}.git`));
  const create = (user: User, name: string): Promise<void> =>
    house.call({ user, method: "POST", path: collection, body: { metadata: { name }, data: { key: "0" } } }, 201);
  const change = (user: User, name: string, key: string): Promise<void> =>
    house.call({ user, method: "PATCH", path: `${collection}/${name}`, body: { data: { key } } }, 200);
  /** Since the commit whose subject begins so; oldest first. */
  const log = (name: string, since = ""): readonly string[] => {
    const lines = git(join(root, `${name}.git`), ["log", "--reverse", "--format=%an|%s", "main"]).split("\n");
    return lines.slice(lines.findIndex((line) => line.includes(since)));
  };
  const pushed = (name: string, last: string): Promise<true> =>
    eventually(() => (log(name).at(-1) === last ? true : undefined), { what: `"${last}" in ${name}`, timeoutMs });
  const told = async (condition: string): Promise<true> =>
    eventually(async () => ((await house.answer("/readyz")).includes(condition) ? true : undefined), { timeoutMs });

  // `closed` gets a history; `silent` stays as empty as it is.
  await closed.turnOn();
  silent.hold();
  await house.start();
  await create(ALICE, "first");
  for (const name of ["well", "closed"]) await pushed(name, "alice@example.com|Create configmaps default/first");
  await house.kill();
  rmSync(house.place.dataDirectory, { recursive: true });
  await change(BOB, "first", "1");

  await closed.turnOff();
  await house.start();
  await change(CAROL, "first", "2");
  await create(ALICE, "second");
  await pushed("well", "alice@example.com|Create configmaps default/second");
  expect(house.git("log", "-1", "--format=%an|%s", "main").toString().trim()).toBe(log("well").at(-1));
  expect(log("closed").at(-1)).toBe("alice@example.com|Create configmaps default/first");
  const ready = await house.answer("/readyz");
  expect(ready).toMatch(/^\[-\] remote default\/closed: nothing is committed yet.*ECONNREFUSED/m);
  expect(ready).toMatch(/^\[-\] remote default\/silent: nothing is committed yet.*has not answered yet$/m);
  expect(ready).toMatch(/^ok$/m);

  await closed.turnOn();
  silent.release();
  const missed = ["unresolved|Update configmaps default/first", "carol@example.com|Update configmaps default/first"];
  const caughtUp = [...missed, "alice@example.com|Create configmaps default/second"];
  await pushed("closed", caughtUp.at(-1) ?? "");
  expect(log("closed", "Create configmaps default/first").slice(1)).toEqual(caughtUp);
  for (const name of ["closed", "silent"]) await told(`[+] remote default/${name}`);
  await change(BOB, "second", "1");
  const last = "bob@example.com|Update configmaps default/second";
  for (const name of ["well", "closed", "silent"]) await pushed(name, last);
  expect(log("closed", "Create configmaps default/second").slice(1)).toEqual([last]);
  expect(log("silent")).toEqual(["kubescribe|Snapshot of core/configmaps", last]);
  expect(JSON.parse(await house.verify())).toMatchObject({ equal: true });
});
