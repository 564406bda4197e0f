import type { Setting } from "../fault.ts";

/** What a run is like from its beginning. */
export const settings: readonly Setting[] = [
  { name: "power-losses", help: "half of the crashes take what was not synced; the journal is synced", strike: null },
  { name: "tight-bounds", help: "every queue and cache is tiny, targets fall behind", strike: null },
  { name: "short-ttl", help: "correlations expire while a watch is held back", strike: null },
  { name: "shared-branch", help: "two targets commit to one branch", strike: null },
  { name: "old-server", help: "the API server knows no WatchList", strike: null },
  { name: "in-use", help: "the cluster is in use before kubescribe begins, and while it does", strike: null },
  { name: "custom-scales", help: "a custom resource has a scale, and mostly no number of replicas", strike: null },
];
