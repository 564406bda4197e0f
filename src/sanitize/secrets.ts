/** What becomes of the values of a Secret. Keys stay visible. */

import { fingerprintOf } from "./fingerprint.ts";
import { isObject, type Json, type JsonObject } from "./json-tree.ts";
import type { ObjectKind } from "./sanitize.ts";
import { encryptAsSops, type SopsKeys } from "./sops.ts";

/** Keys are 32 bytes in base64, the same for as long as files are to be compared. */
export type SecretOptions =
  | { readonly policy: "omit"; readonly fingerprintKey: string }
  | { readonly policy: "encrypt"; readonly fingerprintKey: string; readonly sops: SopsKeys }
  | { readonly policy: "keep" };

/** Apply tools keep copies of the whole object in annotations; the well-known ones are dropped by name, this finds the others. */
const copyOfSecret = /"(?:data|stringData)"\s*:/;
/** UTF-16 units; shorter values stand in any text by chance. */
const leastTellingLength = 8;
const valueFields = ["data", "stringData"];

/** Changes a tree that the caller owns. Throws `object-unreadable` for what no Secret can hold, where it is to be encrypted. */
export function concealSecret(secret: JsonObject, options: SecretOptions, { group, kind }: ObjectKind): void {
  if (options.policy === "keep") return;
  const { namespace, name, annotations } = membersOf(secret["metadata"]);
  const object = [group, kind, textOf(namespace), textOf(name)];
  const omit = (place: readonly string[], value: Json): Json =>
    fingerprintOf(value, [...object, ...place], options.fingerprintKey);
  const copied = copyFinderOf(secret);
  if (isObject(annotations)) {
    replaceValues(annotations, (key, value) =>
      typeof value === "string" && copied(value) ? omit(["metadata", "annotations", key], value) : value,
    );
  }
  switch (options.policy) {
    case "omit":
      for (const field of valueFields) {
        const values = secret[field];
        if (isObject(values)) replaceValues(values, (key, value) => omit([field, key], value));
        else if (values !== undefined && values !== null) secret[field] = omit([field], values);
      }
      return;
    case "encrypt":
      encryptAsSops(secret, object, options.sops);
      return;
    default:
      options satisfies never;
  }
}

/** Whether a text holds the Secret as JSON, or a value of it, in base64 or in the clear. */
function copyFinderOf(secret: JsonObject): (text: string) => boolean {
  const values = valueFields.flatMap((field) => {
    return Object.values(membersOf(secret[field])).filter((value) => typeof value === "string");
  });
  const telling = [...values, ...values.map((value) => Buffer.from(value, "base64").toString("utf8"))];
  // Many values end in a line feed that a copy does not have: `echo PASSWORD | base64`.
  const searched = telling.map((value) => value.trim()).filter((value) => value.length >= leastTellingLength);
  return (text) => copyOfSecret.test(text) || searched.some((value) => text.includes(value));
}

function membersOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function replaceValues(map: JsonObject, replace: (key: string, value: Json) => Json): void {
  for (const key of Object.keys(map)) {
    const value = map[key];
    // `__proto__` is an own property here, and an assignment to it is one as well: a setter is only inherited.
    if (value !== undefined) map[key] = replace(key, value);
  }
}
