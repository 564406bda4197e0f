/** Whether two objects have the same content: what the verdict `content` rests on (K36). */

import { isList, isObject, type Json, type JsonObject, NumberText } from "./json-tree.ts";
import { parseObject } from "./parse-object.ts";
import { type ObjectKind, sanitize } from "./sanitize.ts";

/**
 * Compares after sanitizing, values of Secrets included, and managedFields as they are: a review's and its event's are equal, those of
 * somebody else who wrote the same later are not (K50). In the object null, [] and {} are alike, and a member that holds one of
 * them is as good as absent: etcd's way there and back turns one into the other. In managedFields {} says that a field is owned.
 * Throws `object-unreadable` as `manifestOf` does.
 */
export function sameContent(a: Uint8Array, b: Uint8Array, type: ObjectKind): boolean {
  const [one, other] = [contentOf(a, type), contentOf(b, type)];
  return same(one.managedFields, other.managedFields, "exactly") && same(one.object, other.object, "in effect");
}

function contentOf(bytes: Uint8Array, type: ObjectKind): { readonly managedFields: Json; readonly object: JsonObject } {
  const object = parseObject(bytes);
  const metadata = object["metadata"];
  const managedFields = isObject(metadata) ? metadata["managedFields"] : undefined;
  sanitize(object, type);
  return { managedFields: managedFields ?? [], object };
}

/** Iterative: depth costs memory only. */
function same(left: Json, right: Json, how: "exactly" | "in effect"): boolean {
  const leniently = how === "in effect";
  const pending: (readonly [Json | undefined, Json | undefined])[] = [[left, right]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [a, b] = pair;
    if (isList(a) && isList(b)) {
      if (a.length !== b.length) return false;
      for (let index = 0; index < a.length; index += 1) pending.push([a[index], b[index]]);
    } else if (isObject(a) && isObject(b)) {
      // A key that only one of the two has is compared with nothing.
      for (const key of Object.keys(a)) pending.push([a[key], Object.hasOwn(b, key) ? b[key] : undefined]);
      for (const key of Object.keys(b)) if (!Object.hasOwn(a, key)) pending.push([undefined, b[key]]);
    } else if (a instanceof NumberText && b instanceof NumberText) {
      if (a.source !== b.source) return false;
    } else if (leniently && isObject(a) && isNothing(b)) {
      for (const key of Object.keys(a)) pending.push([a[key], undefined]);
    } else if (leniently && isNothing(a) && isObject(b)) {
      for (const key of Object.keys(b)) pending.push([undefined, b[key]]);
    } else if (a !== b && !(leniently && isNothing(a) && isNothing(b))) {
      return false;
    }
  }
  return true;
}

/** For a map with members see there: they may all be nothing. */
function isNothing(value: Json | undefined): boolean {
  return value === undefined || value === null || (isList(value) && value.length === 0);
}
