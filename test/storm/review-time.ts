/** Quantiles of the histogram of webhook time, as an upper bound: that of the bucket. */
export function reviewQuantileMs(metrics: ReadonlyMap<string, number>, quantile: number): string {
  const buckets = [...metrics].flatMap(([key, count]) => {
    const bound = /^webhook_duration_seconds_bucket\{.*le="([^"]+)"/.exec(key)?.[1];
    return bound === undefined ? [] : [{ bound: bound === "+Inf" ? Infinity : Number(bound), count }];
  });
  buckets.sort((a, b) => a.bound - b.bound);
  const total = buckets.at(-1)?.count ?? 0;
  const found = buckets.find(({ count }) => count >= quantile * total);
  return found === undefined || total === 0 ? "-" : `<= ${found.bound * 1000} ms`;
}
