/** What clients ask of a collection: LIST and WATCH by every kind of version, and what is nonsense. */

export interface Versions {
  /** Compacted. */
  readonly old: string;
  /** Before the latest change. */
  readonly known: string;
  readonly future: string;
}

/** OLD, KNOWN and FUTURE stand for versions. */
export const queries: readonly string[] = [
  "",
  "resourceVersion=0",
  "resourceVersion=KNOWN",
  "resourceVersion=KNOWN&resourceVersionMatch=NotOlderThan",
  "resourceVersion=KNOWN&resourceVersionMatch=Exact",
  "resourceVersion=0&resourceVersionMatch=NotOlderThan",
  "resourceVersion=OLD&resourceVersionMatch=NotOlderThan",
  "resourceVersion=OLD&resourceVersionMatch=Exact",
  "resourceVersion=FUTURE",
  "resourceVersion=FUTURE&resourceVersionMatch=NotOlderThan",
  "resourceVersion=FUTURE&resourceVersionMatch=Exact",
  "resourceVersion=0&resourceVersionMatch=Exact",
  "resourceVersionMatch=Exact",
  "resourceVersion=KNOWN&resourceVersionMatch=Newest",
  "resourceVersion=yesterday",
  "continue=nonsense",
  "limit=2",
  "limit=2&resourceVersion=0",
  "limit=2&resourceVersion=KNOWN",
  "limit=2&resourceVersion=KNOWN&resourceVersionMatch=Exact",
  "labelSelector=shard%3Da",
  "labelSelector=shard+in+(a,b),!gone",
  "labelSelector=shard!%3Da",
  "watch=1",
  "watch=1&resourceVersion=0",
  "watch=1&resourceVersion=KNOWN",
  "watch=1&resourceVersion=OLD",
  "watch=1&resourceVersion=FUTURE",
  "watch=1&resourceVersion=yesterday",
  "watch=1&resourceVersion=KNOWN&resourceVersionMatch=NotOlderThan",
  "watch=1&sendInitialEvents=true",
  "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
  "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
  "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=KNOWN",
  "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=OLD",
  "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=FUTURE",
  "watch=1&sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=KNOWN",
  "sendInitialEvents=true",
  "watch=1&labelSelector=shard%3Da",
];

export function queryAt(query: string, { old, known, future }: Versions): string {
  return query.replace("OLD", old).replace("KNOWN", known).replace("FUTURE", future);
}
