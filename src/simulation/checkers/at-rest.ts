/** Liveness: when nothing happens any more, queues and memory are back to where they began. Reads what kubescribe says of itself. */

export interface Levels {
  /** Of a gauge, now: over all labels but those that are excepted. */
  readonly now: (gauge: string, except?: string) => number;
}

/** Once everything could be committed. */
const committed = [
  "queue_depth",
  "queue_bytes",
  "detached",
  "target_stopped",
  "oldest_uncommitted_age_seconds",
] as const;
/** Once nobody who asked can still be the one (the TTL): nothing waits, and every resource rests. */
const forgotten = [
  ["pending_correlations", ""],
  ["pending_object_bytes", ""],
  ["actors", "at-rest"],
] as const;

export function uncommitted({ now }: Levels): readonly string[] {
  return committed.flatMap((gauge) => remains(gauge, now(gauge)));
}

export function unforgotten({ now }: Levels): readonly string[] {
  return forgotten.flatMap(([gauge, except]) => remains(gauge, now(gauge, except)));
}

function remains(gauge: string, level: number): readonly string[] {
  return level === 0 ? [] : [`liveness: ${gauge} is ${level}, and nothing has happened for long`];
}
