/** What becomes of the values of a Secret. Keys stay visible. */

import { fingerprintOf } from "./fingerprint.ts";
import { isObject, type Json, type JsonObject } from "./json-tree.ts";
import type { ObjectKind } from "./sanitize.ts";

export type SecretOptions =
  /** 32 bytes in base64: the same for as long as fingerprints are to be compared. */
  { readonly policy: "omit"; readonly fingerprintKey: string } | { readonly policy: "keep" };

/** Apply tools keep copies of the whole object in annotations; the well-known ones are dropped by name, this finds the others. */
const copyOfSecret = /"(?:data|stringData)"\s*:/;
/** UTF-16 units; shorter values stand in any text by chance. */
const leastTellingLength = 8;
const valueFields = ["data", "stringData"];

/** Changes a tree that the caller owns. */
export function concealSecret(secret: JsonObject, options: SecretOptions, kind: ObjectKind): void {
  const conceal = concealerOf(secret, options, kind);
  if (conceal === null) return;
  const copied = copyFinderOf(secret);
  for (const field of valueFields) {
    const values = secret[field];
    if (isObject(values)) replaceValues(values, (key, value) => conceal([field, key], value));
    else if (values !== undefined && values !== null) secret[field] = conceal([field], values);
  }
  const annotations = membersOf(secret["metadata"])["annotations"];
  if (!isObject(annotations)) return;
  replaceValues(annotations, (key, value) =>
    typeof value === "string" && copied(value) ? conceal(["metadata", "annotations", key], value) : value,
  );
}

/** Gets a value and where it stands; returns what is written in its place. Null: everything is kept. */
type Concealer = (place: readonly string[], value: Json) => Json;

function concealerOf(secret: JsonObject, options: SecretOptions, { group, kind }: ObjectKind): Concealer | null {
  switch (options.policy) {
    case "omit": {
      const { namespace, name } = membersOf(secret["metadata"]);
      const object = [group, kind, textOf(namespace), textOf(name)];
      return (place, value) => fingerprintOf(value, [...object, ...place], options.fingerprintKey);
    }
    case "keep":
      return null;
    default:
      return options satisfies never;
  }
}

/** Whether a text holds the Secret as JSON, or a value of it, in base64 or in the clear. */
function copyFinderOf(secret: JsonObject): (text: string) => boolean {
  const values = valueFields.flatMap((field) => {
    return Object.values(membersOf(secret[field])).filter((value) => typeof value === "string");
  });
  const telling = [...values, ...values.map((value) => Buffer.from(value, "base64").toString("utf8"))];
  const searched = telling.filter((value) => value.length >= leastTellingLength);
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
