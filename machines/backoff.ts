/** How long a target, or a remote, that failed is left alone. */

/** Full jitter is drawn from 0 to the ceiling. `failures`: in a row, from 1. */
export function backoffCeilingMs(failures: number): number {
  return Math.min(firstBackoffMs * 2 ** Math.max(0, failures - 1), lastBackoffMs);
}
const firstBackoffMs = 800;
const lastBackoffMs = 30_000;
