/** Who this process is, and which others run: from /proc where there is one. */

import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import type { ProcessTable } from "./process-lock.ts";

export async function createProcessTable(): Promise<ProcessTable> {
  const bootId = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  const startTime = (await startTimeOf(process.pid)) ?? "";
  return {
    self: { host: hostname(), bootId: bootId.trim(), pid: process.pid, startTime },
    startTimeOf,
  };
}

/** proc(5): field 22 of stat, clock ticks since boot; the second field may hold blanks and brackets. */
async function startTimeOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return isRunning(pid) ? "" : null;
  }
}

/** Signal 0 only asks. EPERM: it runs, as somebody else. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
