/**
 * What stands in a file where a value of a Secret is omitted: says whether it is another value than before, and nothing else.
 *
 * It is keyed, so nobody without the key can try values, and bound to the place of the value, so that equal values in two places
 * look different. The place goes by names: a Secret that is deleted and made again with the same values has the same file.
 */

import { createHmac } from "node:crypto";

import { canonicalYaml } from "./canonical-yaml.ts";
import type { Json } from "./json-tree.ts";

/** A guess at a collision is one in 2^128. */
const shownBytes = 16;

/** `place` from the kind down to the member. `key`: 32 bytes in base64. Not base64: an apply of the file is refused (illegal base64 data). */
export function fingerprintOf(value: Json, place: readonly string[], key: string): string {
  const content = typeof value === "string" ? ["text", value] : ["yaml", Buffer.from(canonicalYaml(value)).toString()];
  const message = JSON.stringify([...place, ...content]);
  const mac = createHmac("sha256", Buffer.from(key, "base64")).update(message).digest();
  return `<omitted hmac:${mac.subarray(0, shownBytes).toString("base64url")}>`;
}
