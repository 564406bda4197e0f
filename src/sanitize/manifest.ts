/** From the raw bytes of an object, as the API server sends it, to the file that is committed. Pure; runs in worker threads. */

import { canonicalYaml } from "./canonical-yaml.ts";
import { isObject, type Json } from "./json-tree.ts";
import { parseObject } from "./parse-object.ts";
import { isSecret, type ObjectKind, sanitize } from "./sanitize.ts";
import { concealSecret, type SecretOptions } from "./secrets.ts";

/** Raised with every change of what is written of an object: files of an earlier one are then written anew, by nobody. */
export const manifestFormat = 2;

export interface ManifestOptions extends ObjectKind {
  readonly secrets: SecretOptions;
}

export interface Manifest {
  /** UTF-8, ends with a line feed. Equal content gives equal bytes. */
  readonly yaml: Uint8Array;
  /** As they are in the cluster, for selectors; without a prototype. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A ResourceType with `secrets` serves as options. Throws `object-unreadable` for what is no JSON object. */
export function manifestOf(bytes: Uint8Array, options: ManifestOptions): Manifest {
  const object = parseObject(bytes);
  const { metadata } = object as { readonly metadata?: Json };
  const labels = stringsOf(metadata, "labels");
  const annotations = stringsOf(metadata, "annotations");
  sanitize(object, options);
  if (isSecret(object, options)) concealSecret(object, options.secrets, options);
  return { yaml: canonicalYaml(object), labels, annotations };
}

function stringsOf(metadata: Json | undefined, field: string): Readonly<Record<string, string>> {
  const strings = Object.create(null) as Record<string, string>;
  const map = isObject(metadata) ? metadata[field] : undefined;
  if (!isObject(map)) return strings;
  for (const key of Object.keys(map)) {
    const value = map[key];
    if (typeof value === "string") strings[key] = value;
  }
  return strings;
}
