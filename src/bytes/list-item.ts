/** Items of a list lack apiVersion and kind (K29), which the same objects have in watch events. */

import { asBuffer } from "./json-members.ts";
import { byteAt, skipSpace } from "./json-scan.ts";
import type { ObjectHead } from "./object-head.ts";

export interface GroupVersionKind {
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
}

/**
 * The item's bytes as a watch event would have them, always in memory of their own. Typed objects lack both fields and get them
 * where the API server would write them; what an item has already stays as it is.
 */
export function completeListItem(list: Uint8Array, item: ObjectHead, type: GroupVersionKind): Uint8Array {
  const missing: string[] = [];
  if (item.kind === "") missing.push(`"kind":${JSON.stringify(type.kind)}`);
  if (item.apiVersion === "") missing.push(`"apiVersion":${JSON.stringify(type.apiVersion)}`);
  if (missing.length === 0) return new Uint8Array(list.subarray(item.start, item.end));
  const buffer = asBuffer(list);
  const empty = byteAt(buffer, skipSpace(buffer, item.start + 1, item.end), item.end) === 0x7d;
  const prefix = Buffer.from(`{${missing.join(",")}${empty ? "" : ","}`);
  const bytes = new Uint8Array(prefix.length + item.end - item.start - 1);
  bytes.set(prefix);
  bytes.set(list.subarray(item.start + 1, item.end), prefix.length);
  return bytes;
}
