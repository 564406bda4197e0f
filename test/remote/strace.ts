/** Whether strace is there, and may trace: in some containers it must not. */

import { spawnSync } from "node:child_process";

export function findStrace(): string | null {
  return spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0 ? "strace" : null;
}
