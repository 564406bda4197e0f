/** A write and a commit as a line of the trace. */

import type { TrueWrite } from "./checkers/truth.ts";

export function writeLine(write: TrueWrite): string {
  const { revision, operation, typeKey, namespace, name, uid, user, subresource, reviewed, after } = write;
  const by = `${user}${subresource === "" ? "" : ` (${subresource})`}${reviewed ? "" : ", unreviewed"}`;
  const state = after === null ? "gone" : after.blob.slice(0, 7);
  return `  persisted @${revision}: ${operation ?? "nothing to commit"} ${typeKey} ${namespace}/${name} ${uid.slice(0, 4)} by ${by}, ${state}`;
}

export function commitLine(subject: string, trailers: ReadonlyMap<string, readonly string[]>): string {
  const named = [...trailers].flatMap(([key, values]) =>
    /Version|Epoch|Attr|Cand|By|Uid/.test(key) ? [values.join("|")] : [],
  );
  return `commit ${subject}: ${named.join(" ")}`;
}
