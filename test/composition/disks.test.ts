/** A real process whose disk fills up, becomes read-only and goes away: of a local target its repository, of a remote one the data directory. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { fsck, git } from "../e2e/history.ts";
import { HttpBackend } from "../remote/http-backend.ts";
import { type RunOptions, RunWorld } from "./run-world.ts";
import { SmallDisk } from "./small-disk.ts";

const backlogBytes = 1 << 20;
/** More than the backlog may hold. */
const many = 60;
const bytes = 30_000;

describe.each(["local", "remote"] as const)("the disk of a %s target", (kind) => {
  let disk: SmallDisk;
  let world: RunWorld;
  let repository: string;

  beforeAll(async () => {
    world = await RunWorld.start(async (directory, stack) => {
      disk = stack.use(new SmallDisk(directory, 16));
      const options = kind === "local" ? localPlace(directory, disk) : await remotePlace(directory, { disk, stack });
      ({ repository } = options);
      return { ...options, args: ["--backlog-bytes", String(backlogBytes)] };
    });
    await world.write(8);
    expect(await world.judge()).toEqual([]);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test.each([
    { trouble: "full", begin: () => disk.fill(), end: () => disk.makeRoom(), says: "make room on its disk" },
    {
      trouble: "read-only",
      begin: () => disk.makeReadOnly(),
      end: () => disk.makeWritable(),
      says: "mount its file system for writing",
    },
    { trouble: "gone", begin: () => disk.lose(), end: () => disk.restore(), says: "mount it or put it back" },
  ])("is $trouble: it says so, keeps its bounds, and goes on by itself", async ({ begin, end, says }) => {
    const from = world.said.length;
    begin();
    await world.write(1);
    await world.says(says, from);
    expect(await world.readiness(503)).toContain(says);
    await world.write(many, bytes);
    await world.reaches("detached", 1);
    expect(await world.metric("queue_bytes")).toBeLessThanOrEqual(backlogBytes);
    end();
    await world.readiness(200);
    expect(await world.judge()).toEqual([]);
    await world.write(4);
    expect(await world.judge()).toEqual([]);
    expect(await fsck(repository)).toBe("");
  });
});

test.each([
  { trouble: "full", begin: (disk: SmallDisk) => disk.fill(), says: "found ENOSPC. Make room on its disk" },
  { trouble: "read-only", begin: (disk: SmallDisk) => disk.makeReadOnly(), says: "found EROFS. Mount its file system" },
])("a data directory on a disk that is $trouble at the start ends it with what to do", async ({ begin, says }) => {
  const start = RunWorld.start(async (directory, stack) => {
    const disk = stack.use(new SmallDisk(directory, 1));
    mkdirSync(join(disk.path, "data"));
    begin(disk);
    const repository = join(directory, "history.git");
    return { dataDir: join(disk.path, "data"), url: `file://${repository}`, repository };
  });
  await expect(start).rejects.toThrow(says);
});

test("a disk that goes away while pushes are tried again is no place for a second history", async () => {
  let disk: SmallDisk | undefined;
  let isDown = false;
  let repository = "";
  await using world = await RunWorld.start(async (directory, stack) => {
    disk = stack.use(new SmallDisk(directory, 16));
    const options = await remotePlace(directory, { disk, stack, isDown: () => isDown });
    ({ repository } = options);
    return options;
  });
  await world.write(8);
  expect(await world.judge()).toEqual([]);
  isDown = true;
  await world.write(2);
  await world.says("A push did not get through");
  disk?.lose();
  const from = world.said.length;
  await world.says("A push did not get through", from);
  await world.write(4);
  await world.says("mount it or put it back", from);
  disk?.restore();
  isDown = false;
  expect(await world.judge()).toEqual([]);
  expect(await fsck(repository)).toBe("");
});

function localPlace(directory: string, { path }: SmallDisk): RunOptions {
  const repository = join(path, "history.git");
  return { dataDir: join(directory, "data"), url: `file://${repository}`, repository };
}

async function remotePlace(
  directory: string,
  options: { readonly disk: SmallDisk; readonly stack: AsyncDisposableStack; readonly isDown?: () => boolean },
): Promise<RunOptions> {
  const root = join(directory, "remotes");
  const repository = join(root, "history.git");
  mkdirSync(root);
  await git("/", ["init", "-q", "--bare", "-b", "main", repository]);
  await git(repository, ["config", "http.receivepack", "true"]);
  const { disk, stack, isDown = () => false } = options;
  const backend = stack.use(
    await HttpBackend.start({
      root,
      intercept: (_, response) => {
        if (isDown()) response.writeHead(503).end();
        return isDown();
      },
    }),
  );
  return { dataDir: join(disk.path, "data"), url: backend.url("history.git"), repository };
}
