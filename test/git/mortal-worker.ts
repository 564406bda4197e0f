/** The commit worker, but it ends where the test left word: `die` beside the repository, in the middle of a flush or behind it. */

import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { workerData } from "piscina";
import * as worker from "../../src/composition/commit-worker.ts";
import type { TargetOptions } from "../../src/git/target.ts";

export const { open, prepare } = worker;

const [target] = JSON.parse(String(workerData)) as readonly TargetOptions[];
const word = join(dirname(target?.repository ?? ""), "die");

export async function flush(task: Parameters<typeof worker.flush>[0]): ReturnType<typeof worker.flush> {
  const when = existsSync(word) ? readFileSync(word, "utf8") : "";
  rmSync(word, { force: true });
  if (when === "before") process.exit(9);
  const reply = await worker.flush(task);
  if (when === "within") process.exit(9);
  if (when === "idle") {
    setImmediate(() => {
      throw new Error("a fault with nothing to do");
    });
  }
  return reply;
}
