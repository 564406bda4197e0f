/** JSON Patch (RFC 6902), as the API server takes it. */

import type { Json, JsonObject } from "./json.ts";
import { equalJson, isObject, stringAt } from "./json.ts";

/** Null where an operation does not fit, which is answered with 422. */
export function jsonPatch(target: Json, operations: readonly Json[]): Json | null {
  let patched: Json | undefined = target;
  for (const operation of operations) {
    if (!isObject(operation)) return null;
    patched = apply(patched, operation);
    if (patched === undefined) return null;
  }
  return patched;
}

function apply(target: Json, operation: JsonObject): Json | undefined {
  const path = pointer(stringAt(operation, "path"));
  const value = operation["value"] ?? null;
  const from = pointer(stringAt(operation, "from"));
  switch (stringAt(operation, "op")) {
    case "add":
      return change(target, path, () => ({ kind: "put", value, insert: true }));
    case "replace":
      // A member that is not there is replaced all the same, as the API server's library does it.
      return change(target, path, () => ({ kind: "put", value, insert: false }));
    case "remove":
      return change(target, path, (old) => (old === undefined ? null : { kind: "drop" }));
    case "test":
      return equalJson(at(target, path), value) ? target : undefined;
    case "copy":
    case "move": {
      const moved = at(target, from);
      if (moved === undefined) return undefined;
      const left = stringAt(operation, "op") === "copy" ? target : change(target, from, () => ({ kind: "drop" }));
      return left === undefined ? undefined : change(left, path, () => ({ kind: "put", value: moved, insert: true }));
    }
    default:
      return undefined;
  }
}

type Change = { readonly kind: "put"; readonly value: Json; readonly insert: boolean } | { readonly kind: "drop" };

/** Undefined where the path leads nowhere or `decide` says null. */
function change(
  target: Json,
  [key, ...rest]: readonly string[],
  decide: (old: Json | undefined) => Change | null,
): Json | undefined {
  if (key === undefined) {
    const whole = decide(target);
    return whole?.kind === "put" ? whole.value : undefined;
  }
  const old = at(target, [key]);
  if (rest.length > 0) {
    if (old === undefined) return undefined;
    const changed = change(old, rest, decide);
    return changed === undefined ? undefined : put(target, key, { value: changed, insert: false });
  }
  const decided = decide(old);
  if (decided === null) return undefined;
  return decided.kind === "put" ? put(target, key, decided) : drop(target, key);
}

function put(target: Json, key: string, { value, insert }: { value: Json; insert: boolean }): Json | undefined {
  if (isObject(target)) return { ...target, [key]: value };
  if (!Array.isArray(target)) return undefined;
  const list = target as readonly Json[];
  const index = key === "-" ? list.length : Number(key);
  if (!Number.isInteger(index) || index < 0 || index > list.length) return undefined;
  return list.toSpliced(index, insert ? 0 : 1, value);
}

function drop(target: Json, key: string): Json | undefined {
  if (Array.isArray(target)) return (target as readonly Json[]).toSpliced(Number(key), 1);
  if (!isObject(target)) return undefined;
  return Object.fromEntries(Object.entries(target).filter(([name]) => name !== key));
}

function at(target: Json, path: readonly string[]): Json | undefined {
  let found: Json | undefined = target;
  for (const key of path) {
    if (Array.isArray(found)) found = (found as readonly Json[])[Number(key)];
    else found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }
  return found;
}

function pointer(text: string): readonly string[] {
  return text
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}
