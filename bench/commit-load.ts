/** A process of its own that commits at full speed: says "ready" once it does, and how many a second when its input ends. */

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";

import { openCommitWorld } from "./commit-world.ts";
import { Traffic } from "./traffic.ts";

const directory = await mkdtemp(`${tmpdir()}/kubescribe-bench-`);
const world = await openCommitWorld(directory, new Traffic({ resources: 100, writes: 4 }));
let over = false;
await world.drive({ perSecond: null, enough: (changes) => changes >= 100 });
process.stdout.write("ready\n");
process.stdin.resume();
void once(process.stdin, "end").then(() => (over = true));
const startMs = performance.now();
const changes = await world.drive({ perSecond: null, enough: () => over });
const seconds = (performance.now() - startMs) / 1000;
await world[Symbol.asyncDispose]();
await rm(directory, { recursive: true });
process.stdout.write(`${changes / seconds}\n`);
