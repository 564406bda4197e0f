/** A memory cgroup of its own (version 1) for a process, as a container is in: Node takes the limit of its heap from that. */

import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";

const controller = "/sys/fs/cgroup/memory";

export class MemoryGroup implements Disposable {
  /** MiB. */
  readonly limit: number;
  /** Null: such a group cannot be made here, and there is no limit. */
  readonly path: string | null;

  constructor(limit: number) {
    this.limit = limit;
    const path = `${controller}/kubescribe-sizing-${process.pid}-${limit}`;
    try {
      mkdirSync(path);
      writeFileSync(`${path}/memory.limit_in_bytes`, String(limit * 1024 * 1024));
      this.path = path;
    } catch (error) {
      console.error(`without limits: ${String(error)}`);
      this.path = null;
    }
  }

  /** The words before a command that make it run inside. */
  get entering(): readonly string[] {
    if (this.path === null) return [];
    return ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', this.path];
  }

  [Symbol.dispose](): void {
    if (this.path !== null) rmdirSync(this.path);
  }
}
