/** Packs that are indexed in a thread of their own. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { indexInThread, threadOf } from "../../src/composition/node-index-thread.ts";
import { patient } from "../remote/opened.ts";
import { git, type Place, Source, temporaryPlace } from "../remote/repositories.ts";

let place: Place;
let tip = "";
/** Of 20,000 objects. */
let packPath = "";

beforeAll(() => {
  place = temporaryPlace();
  const source = new Source(join(place.path, "source.git"));
  tip = source.commit("", { files: 20_000 });
  packPath = join(place.path, "fetched.pack");
  writeFileSync(packPath, source.bytes([tip]));
});
afterAll(() => place[Symbol.dispose]());

test("nobody waits for it, and git reads what it makes", async () => {
  const before = performance.eventLoopUtilization();
  const index = await indexInThread({ packPath, wants: [tip] }, patient);
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.3);
  const made = join(place.path, "made.idx");
  git(place.path, ["index-pack", "-o", made, packPath]);
  expect(Buffer.compare(index, readFileSync(made))).toBe(0);
});

test("what it cannot take is told by its name", async () => {
  const missing = indexInThread({ packPath, wants: ["0".repeat(40)] }, patient);
  await expect(missing).rejects.toMatchObject({ code: "remote-malformed", retry: "backoff" });
});

test("it ends when it is told to", async () => {
  const stopping = new AbortController();
  const stopped = indexInThread({ packPath, wants: [tip] }, stopping.signal);
  stopping.abort(new Error("enough"));
  await expect(stopped).rejects.toThrow("enough");
});

test("more memory than it may have is refused, and nobody dies of it", async () => {
  const refused = threadOf(8)({ packPath, wants: [tip] }, patient);
  await expect(refused).rejects.toMatchObject({ code: "remote-quota", retry: "backoff" });
});
