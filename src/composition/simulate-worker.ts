/** A thread that plays one run after the other. */

import { parentPort } from "node:worker_threads";
import type { Job } from "../simulation/job.ts";
import { stockGit } from "./node-stock-git.ts";
import { play } from "../simulation/play.ts";

// Files that are not there are no surprise, and a stack for each of them is dear.
Error.stackTraceLimit = 0;

parentPort?.on("message", (job: Job) => void answer(job));

async function answer(job: Job): Promise<void> {
  parentPort?.postMessage(await play(job, stockGit));
}
