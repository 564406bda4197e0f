/** Fetches from stock git's HTTP server, and from what pretends to be one. */

import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";

import type { Fetch, FetchResult } from "../../src/remote/remote.ts";
import { HttpBackend } from "./http-backend.ts";
import { opened, patient } from "./opened.ts";
import { branch, git, makeRepository, stateRef } from "./repositories.ts";
import { Served } from "./served.ts";

const served = Served.throughout();
let local = "";

beforeEach(() => {
  local = makeRepository(join(served.root, `local-of-${served.name}`));
});

const usual = (options: Partial<Fetch> = {}): Fetch => ({
  gitDirectory: local,
  refs: [branch, stateRef],
  depth: null,
  haves: [],
  owner: "test",
  sync: true,
  ...options,
});
const fetched = (options: Partial<Fetch> = {}): Promise<FetchResult> =>
  opened(served.url).fetch(usual(options), patient);
const put = (ref: string, id: string): string => git(served.path, ["fetch", "-q", served.source.path, `+${id}:${ref}`]);
const history = (length: number, options: { files?: number; sizeBytes?: number } = {}): readonly string[] => {
  const ids: string[] = [];
  for (let index = 0; index < length; index++) ids.push(served.source.commit(ids.at(-1) ?? "", options));
  return ids;
};
/** As a caller does with the result. */
const settle = ({ refs }: FetchResult): void => {
  for (const [ref, id] of refs) git(local, ["update-ref", ref, id]);
  expect(git(local, ["fsck", "--strict"])).toBe("");
};

test("an empty remote has nothing", async () => {
  expect(await fetched()).toEqual({ refs: new Map(), count: 0, headRef: null, pack: null });
});

test("a branch and a state ref come with all that they need", async () => {
  const commits = history(5);
  const tip = commits.at(-1) ?? "";
  const state = served.source.blob("state");
  put(branch, tip);
  git(served.path, ["update-ref", stateRef, git(served.path, ["hash-object", "-w", "--stdin"], "state")]);
  const result = await fetched();
  expect(result).toMatchObject({
    refs: new Map([
      [branch, tip],
      [stateRef, state],
    ]),
    count: 2,
    headRef: branch,
  });
  settle(result);
  expect(git(local, ["rev-list", branch]).split("\n")).toEqual(commits.toReversed());
  expect(git(local, ["cat-file", "blob", stateRef])).toBe("state");
  expect(readdirSync(join(local, "objects/pack")).map((file) => file.replace(/^pack-\w{40}/, ""))).toEqual([
    ".idx",
    ".pack",
  ]);
});

test("somebody's long history costs no more than its last commit", async () => {
  const commits = history(10, { sizeBytes: 100_000 });
  put(branch, commits.at(-1) ?? "");
  git(served.path, ["repack", "-adq"]);
  const result = await fetched({ depth: 1 });
  settle(result);
  expect(git(local, ["rev-list", branch])).toBe(commits.at(-1));
  expect(result.pack?.sizeBytes).toBeLessThan(100_000);
});

test("what came later is fetched on top of a shallow start, and nothing twice", async () => {
  const commits = history(8);
  put(branch, commits[3] ?? "");
  settle(await fetched({ depth: 1 }));
  put(branch, commits[7] ?? "");
  const later = await fetched({ haves: [commits[3] ?? ""] });
  settle(later);
  // A commit, a tree and a file for each of four.
  expect(
    git(local, ["verify-pack", "-v", join(local, "objects/pack", `${later.pack?.name}.idx`)]).match(/^[0-9a-f]{40} /gm),
  ).toHaveLength(12);
  expect(git(local, ["rev-list", branch]).split("\n")).toEqual(commits.slice(3).toReversed());
  expect(await fetched({ haves: [commits[7] ?? ""] })).toMatchObject({ pack: null });
  settle(await fetched({ depth: 100 }));
  expect(git(local, ["rev-list", branch]).split("\n")).toEqual(commits.toReversed());
});

const holds = (id: string): Promise<boolean> =>
  Promise.resolve(spawnSync("git", ["-C", local, "cat-file", "-e", id]).status === 0);

test("more of a history is fetched below the very commit at which what is here ends", async () => {
  const commits = history(8);
  put(branch, commits[7] ?? "");
  settle(await fetched({ depth: 1, holds }));
  settle(await fetched({ depth: 3, holds }));
  expect(git(local, ["rev-list", branch]).split("\n")).toEqual(commits.slice(5).toReversed());
  settle(await fetched({ depth: 0x7fffffff, holds }));
  expect(git(local, ["rev-list", branch]).split("\n")).toEqual(commits.toReversed());
});

test("a branch that was set back to a commit that is here is told of", async () => {
  const commits = history(4);
  put(branch, commits[3] ?? "");
  settle(await fetched({ holds }));
  put(branch, commits[1] ?? "");
  const back = await fetched({ haves: [commits[3] ?? ""], holds });
  expect(back.refs.get(branch)).toBe(commits[1]);
});

test("a lock that a killed process left is taken over by whoever is alone there, and by nobody else", async () => {
  const commits = history(3);
  put(branch, commits[2] ?? "");
  writeFileSync(join(local, "shallow.lock"), "torn");
  await expect(fetched({ depth: 1 })).rejects.toMatchObject({ code: "EEXIST" });
  settle(await fetched({ depth: 1, alone: true }));
  expect(git(local, ["rev-list", branch])).toBe(commits[2]);
});

test("more than the limit is refused, and leaves nothing behind", async () => {
  put(branch, history(1, { sizeBytes: 300_000 })[0] ?? "");
  await expect(fetched({ packLimitBytes: 100_000 })).rejects.toMatchObject({ code: "remote-quota" });
  expect(readdirSync(join(local, "objects/pack"))).toEqual([]);
});

test("of many refs only those that are asked for stay", async () => {
  const [tip = ""] = history(1);
  put(branch, tip);
  const names = Array.from({ length: 20_000 }, (_, index) => `refs/changes/${index}`).toSorted();
  const lines = names.map((ref) => `${tip} ${ref}\n`);
  writeFileSync(join(served.path, "packed-refs"), `# pack-refs with: sorted\n${lines.join("")}`);
  const { refs, count } = await opened(served.url).refs(["refs/heads/"], patient);
  expect([...refs.keys()]).toEqual([branch]);
  expect(count).toBe(20_001);
  await expect(opened(served.url).refs(["refs/"], patient)).rejects.toMatchObject({ code: "remote-malformed" });
});

describe("a server that lies", () => {
  const commit = Buffer.from(
    `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\nx\n`,
  );
  const tip = createHash("sha1").update(`commit ${commit.length}\0`).update(commit).digest("hex");
  const pkt = (payload: Buffer | string): Buffer => {
    const bytes = Buffer.from(payload);
    return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
  };
  const flush = Buffer.from("0000");
  const banded = (bytes: Buffer, number = 1): Buffer => pkt(Buffer.concat([Buffer.from([number]), bytes]));
  const packOfCommit = (body: Buffer, type = 1): Buffer => {
    const head = Buffer.from("PACK\0\0\0\u0002\0\0\0\u0001", "latin1");
    const entry = Buffer.from([0x80 | (type << 4) | (body.length & 15), body.length >> 4]);
    const content = Buffer.concat([head, entry, deflateSync(body)]);
    return Buffer.concat([content, createHash("sha1").update(content).digest()]);
  };
  const good = packOfCommit(commit);
  const spoilt = Buffer.from(good);
  spoilt[20] = (spoilt[20] ?? 0) ^ 1;
  const renamed = Buffer.from(good);
  renamed[renamed.length - 1] = (renamed.at(-1) ?? 0) ^ 1;
  const capabilities = "side-band-64k shallow ofs-delta symref=HEAD:refs/heads/../../escape";

  const serve = (answer: readonly Buffer[], told = capabilities, more: readonly string[] = []): Promise<HttpBackend> =>
    HttpBackend.start({
      root: served.root,
      intercept: (request, response) => {
        const kind = request.method === "GET" ? "advertisement" : "result";
        response.setHeader("content-type", `application/x-git-upload-pack-${kind}`);
        const others = more.map((ref) => pkt(`${tip} ${ref}\n`));
        const first = pkt(`${tip} ${branch}\0${told}\n`);
        const refs = [pkt("# service=git-upload-pack\n"), flush, first, ...others, flush];
        response.end(Buffer.concat(request.method === "GET" ? refs : [...answer]));
        return true;
      },
    });

  test("is believed where it does not", async () => {
    await using honest = await serve([pkt("NAK\n"), banded(good.subarray(0, 50)), banded(good.subarray(50)), flush]);
    const result = await opened(honest.url("x")).fetch(usual(), patient);
    expect(result).toMatchObject({ refs: new Map([[branch, tip]]), headRef: null });
    expect(git(local, ["cat-file", "commit", tip])).toContain("author a");
  });

  test.each([
    { name: "a pack with a wrong checksum", answer: [pkt("NAK\n"), banded(spoilt), flush], code: "remote-malformed" },
    {
      name: "a pack with another's checksum",
      answer: [pkt("NAK\n"), banded(renamed), flush],
      code: "remote-malformed",
    },
    {
      name: "a pack that is cut",
      answer: [pkt("NAK\n"), banded(good.subarray(0, 60)), flush],
      code: "remote-malformed",
    },
    {
      name: "a pack of something else",
      answer: [pkt("NAK\n"), banded(packOfCommit(Buffer.from("none"), 3)), flush],
      code: "remote-malformed",
    },
    { name: "no pack", answer: [pkt("NAK\n"), flush], code: "remote-malformed" },
    { name: "half an answer", answer: [pkt("NAK\n"), banded(good)], code: "remote-cut" },
    { name: "half a packet", answer: [pkt("NAK\n"), banded(good).subarray(0, 40)], code: "remote-cut" },
    {
      name: "an error",
      answer: [pkt("NAK\n"), banded(Buffer.from("access denied"), 3), flush],
      code: "remote-unauthorized",
    },
    { name: "an ERR", answer: [pkt("ERR upload-pack: not our ref")], code: "remote-malformed" },
    { name: "strange words", answer: [pkt("shallow ../../x\n")], code: "remote-malformed" },
  ])("is found out: $name", async ({ answer, code }) => {
    await using liar = await serve(answer);
    await expect(opened(liar.url("x")).fetch(usual(), patient)).rejects.toMatchObject({ code });
    expect(readdirSync(join(local, "objects/pack"))).toEqual([]);
    expect(git(local, ["count-objects"])).toBe("0 objects, 0 kilobytes");
  });

  test("names no path outside", async () => {
    const names = [
      "refs/heads/../../config",
      "refs/heads/.x",
      "refs/heads/x.lock",
      "refs/heads/a b",
      "refs//x",
      "config",
      "refs/heads/Ümlaut",
    ];
    await using liar = await serve([], `${capabilities}\n`, names);
    const { refs, count } = await opened(liar.url("x")).refs(["refs/", "config"], patient);
    expect([...refs.keys()]).toEqual([branch, "refs/heads/Ümlaut"]);
    expect(count).toBe(7);
  });

  test("is told what it lacks", async () => {
    await using old = await serve([], "ofs-delta");
    await expect(opened(old.url("x")).fetch(usual({ depth: 1 }), patient)).rejects.toThrow(
      "lacks side-band-64k and shallow",
    );
  });
});
