/**
 * Quantiles of the histogram of webhook time, as an upper bound: that of the bucket. The counts of all processes of a run are added
 * up.
 */
export function reviewQuantileMs(processes: readonly ReadonlyMap<string, number>[], quantile: number): string {
  const counts = new Map<number, number>();
  for (const metrics of processes) {
    for (const [key, count] of metrics) {
      const text = /^webhook_duration_seconds_bucket\{.*le="([^"]+)"/.exec(key)?.[1];
      if (text === undefined) continue;
      const bound = text === "+Inf" ? Infinity : Number(text);
      counts.set(bound, (counts.get(bound) ?? 0) + count);
    }
  }
  const buckets = [...counts].sort(([a], [b]) => a - b);
  const total = buckets.at(-1)?.[1] ?? 0;
  const found = buckets.find(([, count]) => count >= quantile * total);
  return found === undefined || total === 0 ? "-" : `<= ${found[0] * 1000} ms`;
}
