/** A value that must not be anywhere, and the forms that it would be found in. */

import { createHash, randomBytes } from "node:crypto";

export interface Canary {
  /** Where it was put. */
  readonly name: string;
  readonly value: string;
}

export function canaryOf(name: string): Canary {
  // Of letters and digits, long enough that no part of it stands anywhere by chance.
  return { name, value: `canary${randomBytes(18).toString("hex")}` };
}

const algorithms = ["md5", "sha1", "sha256", "sha512"];
/** Values can be tried against a part of a digest as well. Of as many bytes base64 is whole. */
const leastDigestBytes = 12;

/** By what they are called. */
function formsOf({ value }: Canary): ReadonlyMap<string, Buffer> {
  const forms = new Map<string, Buffer>();
  const encoded = Buffer.from(value).toString("base64");
  forms.set("raw", Buffer.from(value));
  forms.set("hex", Buffer.from(Buffer.from(value).toString("hex")));
  // In the midst of other bytes it has another base64 for each offset; what depends on its neighbours is cut off.
  for (const offset of [0, 1, 2]) {
    const within = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]).toString("base64");
    forms.set(`base64 at ${offset}`, Buffer.from(within.slice(4, -4)));
  }
  const twice = Buffer.from(encoded).toString("base64");
  forms.set("base64 twice", Buffer.from(twice.slice(0, -4)));
  for (const [of, text] of [
    ["the value", value],
    ["the value and a line feed", `${value}\n`],
    ["its base64", encoded],
    ["its JSON", JSON.stringify(value)],
    ["the JSON of its base64", JSON.stringify(encoded)],
  ] as const) {
    for (const algorithm of algorithms) {
      const digest = createHash(algorithm).update(text).digest().subarray(0, leastDigestBytes);
      forms.set(`${algorithm} of ${of}`, digest);
      forms.set(`${algorithm} of ${of} in hex`, Buffer.from(digest.toString("hex")));
      forms.set(`${algorithm} of ${of} in capital hex`, Buffer.from(digest.toString("hex").toUpperCase()));
      forms.set(`${algorithm} of ${of} in base64`, Buffer.from(digest.toString("base64")));
      forms.set(`${algorithm} of ${of} in base64url`, Buffer.from(digest.toString("base64url")));
    }
  }
  return forms;
}

/** `the password, as sha256 of the value in hex, in journal/1`, for each that is found in one of the places. */
export function foundCanaries(canaries: readonly Canary[], places: ReadonlyMap<string, Buffer>): readonly string[] {
  return canaries.flatMap((canary) =>
    [...formsOf(canary)].flatMap(([form, bytes]) =>
      [...places].flatMap(([place, content]) =>
        content.includes(bytes) ? [`${canary.name}, as ${form}, in ${place}`] : [],
      ),
    ),
  );
}
