import { expect, test } from "vitest";

import { PacketReader } from "../../src/remote/pkt-line.ts";
import { rejectionOf } from "../../src/remote/rejection.ts";
import { readReport, type Report } from "../../src/remote/report.ts";

const packet = (payload: Buffer | string): Buffer => {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
};
const banded = (number: number, bytes: Buffer | string): Buffer =>
  packet(Buffer.concat([Buffer.from([number]), Buffer.from(bytes)]));
const flush = Buffer.from("0000");
const lines = (...texts: readonly string[]): Buffer =>
  Buffer.concat([...texts.map((text) => packet(`${text}\n`)), flush]);

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}
const read = (bytes: Buffer, sideBand = true): Promise<Report> =>
  readReport(new PacketReader(once(bytes), 1000), sideBand);

const report = lines("unpack ok", "ok refs/heads/main", "ng refs/kubescribe/a hook declined", "ng refs/x");
const expected = {
  unpackFault: "",
  faults: new Map([
    ["refs/kubescribe/a", "hook declined"],
    ["refs/x", ""],
  ]),
};

test("a report is read without a side band", async () => {
  expect(await read(report, false)).toMatchObject(expected);
});

test("a report is read out of a side band, wherever that cuts it, among words and signs of life", async () => {
  for (let at = 0; at <= report.length; at++) {
    const parts = [
      banded(1, report.subarray(0, at)),
      banded(2, "hello "),
      banded(2, ""),
      banded(1, report.subarray(at)),
      flush,
    ];
    expect(await read(Buffer.concat(parts))).toEqual({ ...expected, words: "hello " });
  }
});

test.each([
  { name: "nothing", bytes: Buffer.alloc(0), code: "remote-cut" },
  { name: "half a report", bytes: banded(1, report.subarray(0, 20)), code: "remote-cut" },
  { name: "another band", bytes: Buffer.concat([banded(7, "x"), flush]), code: "remote-malformed" },
  { name: "no packets in the band", bytes: Buffer.concat([banded(1, "hello world"), flush]), code: "remote-malformed" },
])("$name is $code", async ({ bytes, code }) => {
  await expect(read(bytes)).rejects.toMatchObject({ code });
});

test("a fatal word is the last", async () => {
  expect(await read(banded(3, "no space left on device"))).toMatchObject({ unpackFault: "no space left on device" });
});

const said = (fault: string, words = ""): Report => ({
  unpackFault: "",
  faults: new Map([["refs/heads/main", fault]]),
  words,
});
const updates = [{ ref: "refs/heads/main", from: "", to: "1".repeat(40) }];

test.each([
  ["non-fast-forward", "", "remote-stale"],
  ["fetch first", "", "remote-stale"],
  ["incorrect old value provided", "", "remote-stale"],
  ["pre-receive hook declined", "", "remote-declined"],
  ["pre-receive hook declined", "You have exceeded your storage quota", "remote-quota"],
  ["pre-receive hook declined", "GH001: Large files detected. File x is 123.00 MB", "remote-quota"],
  ["protected branch hook declined", "GH006: Protected branch update failed for refs/heads/main.", "remote-declined"],
  ["prohibited by Gerrit: not permitted: update", "", "remote-declined"],
  ["deny updating a hidden ref", "", "remote-declined"],
  ["unable to migrate objects to permanent storage", "No space left on device", "remote-quota"],
  ["failed to update ref", "", "remote-refused"],
  ["missing necessary objects", "", "remote-refused"],
  ["", "", "remote-refused"],
])("%j with the words %j is %s", (fault, words, code) => {
  expect(rejectionOf(said(fault, words), updates, [])?.code).toBe(code);
});

test("what is said of others, or nothing, rejects nothing", () => {
  expect(
    rejectionOf({ unpackFault: "", faults: new Map([["refs/heads/other", "no"]]), words: "denied" }, updates, []),
  ).toBeNull();
});
