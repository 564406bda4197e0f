/**
 * What becomes of the values of a Secret. Keys stay visible. Later policies (keyed fingerprints, SOPS) are further ways to
 * conceal one value: `concealerOf` is where they come in.
 */

import { isObject, type Json, type JsonObject } from "./json-tree.ts";

export type SecretPolicy = "omit" | "keep";

/** Not base64, so the API server refuses an apply of the file instead of taking this for the value. */
const omittedValue = "<omitted>";

/** Apply tools keep copies of the whole object in annotations; the well-known ones are dropped by name, this finds the others. */
const copyOfSecret = /"(?:data|stringData)"\s*:/;

/** Changes a tree that the caller owns. */
export function concealSecret(secret: JsonObject, policy: SecretPolicy): void {
  const conceal = concealerOf(policy);
  if (conceal === null) return;
  for (const field of ["data", "stringData"]) {
    const values = secret[field];
    if (isObject(values)) replaceValues(values, (key, value) => conceal(`${field}.${key}`, value));
    else if (values !== undefined && values !== null) secret[field] = conceal(field, values);
  }
  const { metadata } = secret as { readonly metadata?: Json };
  const annotations = isObject(metadata) ? metadata["annotations"] : undefined;
  if (!isObject(annotations)) return;
  replaceValues(annotations, (key, value) =>
    typeof value === "string" && copyOfSecret.test(value) ? conceal(`metadata.annotations.${key}`, value) : value,
  );
}

/** Gets a value and where it stands; returns what is written in its place. Null: everything is kept. */
type Concealer = (place: string, value: Json) => Json;

function concealerOf(policy: SecretPolicy): Concealer | null {
  switch (policy) {
    case "omit":
      return () => omittedValue;
    case "keep":
      return null;
    default:
      return policy satisfies never;
  }
}

function replaceValues(map: JsonObject, replace: (key: string, value: Json) => Json): void {
  for (const key of Object.keys(map)) {
    const value = map[key];
    // `__proto__` is an own property here, and an assignment to it is one as well: a setter is only inherited.
    if (value !== undefined) map[key] = replace(key, value);
  }
}
