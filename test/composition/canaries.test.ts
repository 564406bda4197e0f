/**
 * What a Secret holds is nowhere that kubescribe writes or says anything: a real process, from reviews and a watch to packs, through
 * errors and a kill, and all that it left is searched for canaries.
 */

import { createHash } from "node:crypto";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, expect, test } from "vitest";

import { ALICE, BOB } from "../../src/commands/demo-people.ts";
import { type Canary, canaryOf, foundCanaries } from "./canary.ts";
import { PlayedHouse } from "./played-house.ts";

const collection = "/api/v1/namespaces/default/secrets";
const file = "demo/default/core/secrets/token.yaml";
const recipient = await identityToRecipient(await generateX25519Identity());

test.concurrent.each([
  ["omit", "omit"],
  ["encrypt", `{policy: encrypt, recipients: [${recipient}]}`],
])("no value of a Secret is anywhere (%s)", async (_, secrets) => {
  const { canaries, places } = await history(secrets);
  expect([...places.keys()].filter((place) => place.startsWith("blob ")).length).toBeGreaterThan(6);
  expect([...places.keys()].filter((place) => place.startsWith("data/journal/"))).not.toEqual([]);
  expect(foundCanaries(canaries, places)).toEqual([]);
});

test.concurrent("the search finds what is there", async () => {
  const { canaries, places } = await history("keep");
  const found = foundCanaries(canaries, places);
  const committed = [
    "a value of the snapshot",
    "a created value",
    "a value that was replaced",
    "a value while it was dead",
  ];
  for (const name of [...committed, "an annotation's value"]) {
    expect(found).toContainEqual(expect.stringMatching(new RegExp(`^${name}, as base64 at 0, in blob `)));
  }
  for (const name of ["a denied value", "a value of a broken review", "the installation key"]) {
    expect(found.filter((line) => line.startsWith(`${name},`))).toEqual([]);
  }
});

describe("a canary", () => {
  const digestOf = (value: string) => createHash("sha256").update(value).digest();
  test.each<readonly [string, (value: string) => Buffer]>([
    ["raw", (value) => Buffer.from(`x${value}y`)],
    ["base64 at 1", (value) => Buffer.from(Buffer.from(`x${value}y`).toString("base64"))],
    ["hex", (value) => Buffer.from(Buffer.from(value).toString("hex"))],
    ["sha256 of the value", (value) => digestOf(value)],
    ["sha256 of the value in base64", (value) => Buffer.from(`"${digestOf(value).toString("base64")}"`)],
    ["sha256 of the value in base64url", (value) => Buffer.from(digestOf(value).subarray(0, 16).toString("base64url"))],
    ["md5 of its base64 in hex", (value) => Buffer.from(createHash("md5").update(btoa(value)).digest("hex"))],
  ])("is found as %s", (form, write) => {
    const canary = canaryOf("it");
    const found = foundCanaries([canary], new Map([["here", write(canary.value)]]));
    expect(found).toContain(`it, as ${form}, in here`);
  });
});

interface History {
  readonly canaries: readonly Canary[];
  /** All that was written or said: files, objects of the repository, output, answers. */
  readonly places: ReadonlyMap<string, Buffer>;
}

async function history(secrets: string): Promise<History> {
  const directory = mkdtempSync(join(tmpdir(), "kubescribe-canaries-"));
  try {
    await using house = await PlayedHouse.open(directory, { spec: `  secrets: ${secrets}\n` });
    return await lived(house);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function lived(house: PlayedHouse): Promise<History> {
  const canaries: Canary[] = [];
  const put = (name: string): string => {
    const canary = canaryOf(name);
    canaries.push(canary);
    return canary.value;
  };
  const said: string[] = [];
  const create = (metadata: object, rest: object): Promise<void> =>
    house.call({ user: ALICE, method: "POST", path: collection, body: { metadata, ...rest } }, 201);
  const patch = (body: object, status = 200): Promise<void> =>
    house.call({ user: BOB, method: "PATCH", path: `${collection}/token`, body }, status);

  // Before anybody watches: the snapshot.
  await create({ name: "first" }, { stringData: { a: put("a value of the snapshot") } });
  await house.start();
  const created = put("a created value");
  const copied = put("a value in last-applied");
  const annotations = {
    "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({ stringData: { copied } }),
    "example.com/copy": `{"data": {"password": "${btoa(put("an annotation's value"))}"}}`,
    "example.com/yaml": `data:\n  password: ${btoa(created)}\n`,
    "example.com/note": `it is ${created}`,
  };
  const data = { password: btoa(created), copied: btoa(copied) };
  await create({ name: "token", annotations }, { data, stringData: { other: put("a value that was replaced") } });
  await patch({ stringData: { other: put("the value that replaced it") } });
  await patch({ metadata: { labels: { a: "b" } } });

  // Denied after its review; not reviewed; and reviews that are none.
  house.cluster.setPolicy(() => "denied by another webhook");
  await patch({ stringData: { other: put("a denied value") } }, 403);
  house.cluster.setPolicy(() => null);
  house.setReviewed(false);
  await patch({ stringData: { other: put("a value that nobody reviewed") } });
  house.setReviewed(true);
  const object = { kind: "Secret", apiVersion: "v1", data: { p: btoa(put("a value of a broken review")) } };
  const review = JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", request: { object } });
  for (const length of [review.length, review.length - 3, review.length - 20]) {
    said.push(await house.review(review.slice(0, length)));
  }
  await house.committed(file, 4);

  // The repository goes, and comes back: an error, and another attempt.
  const { gitDirectory } = house.place;
  renameSync(gitDirectory, `${gitDirectory}.away`);
  await patch({ stringData: { other: put("a value that failed at first") } });
  await house.says("git-repository-gone");
  renameSync(`${gitDirectory}.away`, gitDirectory);
  await house.committed(file, 5);
  for (const path of ["/metrics", "/readyz", "/livez"]) said.push(await house.answer(path));

  // Killed, and begun again with its journal and a list at the cursor.
  await house.kill();
  await patch({ stringData: { other: put("a value while it was dead") } });
  await house.start();
  await house.committed(file, 6);
  await house.call({ user: BOB, method: "DELETE", path: `${collection}/token` }, 200);
  await house.committed(file, 7);
  await house.kill();
  await create({ name: "late" }, { stringData: { a: put("a value that is not committed") } });
  const differences = await house.verify();
  expect(differences).toContain('"kind": "missing"');

  const places = new Map([
    ...house.left(),
    ["answers", Buffer.from([...said, differences].join("\n"))],
    ["output", Buffer.from(house.output)],
  ]);
  const keyFile = "data/installation.key";
  canaries.push({ name: "the installation key", value: places.get(keyFile)?.toString().trim() ?? "" });
  places.delete(keyFile);
  return { canaries, places };
}
