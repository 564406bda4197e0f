/**
 * A Secret as a SOPS document, which `sops -d` reads. Format and rules are those of sops 3.13: each value under `data` or `stringData` is
 * AES-256-GCM, bound to its path; a MAC over all values, in the order of the document, is encrypted beside it.
 *
 * 1. Equal content gives equal bytes, after a restart too. sops draws an IV for each value and keeps it while it edits a file, of which
 *    nothing is known here. So the IV is derived from place and value (as SIV modes do): no IV serves two plaintexts of one data key,
 *    and equal values in two places look different.
 * 2. One data key serves all documents of the same recipients, and `lastmodified` is its age.
 */

import { createCipheriv, createHash, createHmac } from "node:crypto";

import { keysInOrder } from "./canonical-yaml.ts";
import { isList, isObject, type Json, type JsonObject, unreadable } from "./json-tree.ts";

/** Keys are 32 bytes in base64. */
export interface SopsKeys {
  readonly dataKey: string;
  /** IVs are derived with it. */
  readonly ivKey: string;
  /** RFC 3339, in whole seconds. */
  readonly createdAt: string;
  /** The data key, as age encrypted it to each. */
  readonly recipients: readonly SopsRecipient[];
}

export interface SopsRecipient {
  /** `age1...` */
  readonly recipient: string;
  /** Armored. */
  readonly enc: string;
}

/** sops matches it against each part of a path, so an annotation of that name is encrypted as well. */
const encryptedRegex = "^(data|stringData)$";
const encryptedNames = ["data", "stringData"];
const formatVersion = "3.13.3";

/** Changes a tree that the caller owns. `object`: which one it is. Throws `object-unreadable` for what no Secret can hold. */
export function encryptAsSops(secret: JsonObject, object: readonly string[], keys: SopsKeys): void {
  if (secret["sops"] !== undefined) throw unreadable("no member sops in a Secret");
  const encrypt = cipherOf(object, keys);
  const mac = createHash("sha512");
  const visit = (value: Json, path: readonly string[]): Json => {
    if (value === null) return null;
    if (isList(value)) return value.map((item) => visit(item, path));
    if (isObject(value)) {
      for (const key of keysInOrder(value, path.length === 0)) value[key] = visit(value[key] ?? null, [...path, key]);
      return value;
    }
    const { text, type } = scalarOf(value);
    mac.update(text, "utf8");
    // As sops has it, an empty string stays one.
    if (text === "" || !path.some((part) => encryptedNames.includes(part))) return value;
    return encrypt(text, { type, boundTo: `${path.join(":")}:`, place: path });
  };
  visit(secret, []);
  const { createdAt, recipients } = keys;
  secret["sops"] = {
    age: recipients.map(({ recipient, enc }) => ({ recipient, enc })),
    encrypted_regex: encryptedRegex,
    lastmodified: createdAt,
    mac: encrypt(mac.digest("hex").toUpperCase(), { type: "str", boundTo: createdAt, place: ["sops", "mac"] }),
    version: formatVersion,
  };
}

interface Plaintext {
  readonly type: "str" | "bool" | "int";
  /** Additional authenticated data. */
  readonly boundTo: string;
  readonly place: readonly string[];
}

function cipherOf(object: readonly string[], keys: SopsKeys): (text: string, plaintext: Plaintext) => string {
  const dataKey = Buffer.from(keys.dataKey, "base64");
  const ivKey = Buffer.from(keys.ivKey, "base64");
  return (text, { type, boundTo, place }) => {
    const iv = createHmac("sha256", ivKey)
      .update(JSON.stringify([...object, ...place, text]))
      .digest();
    const cipher = createCipheriv("aes-256-gcm", dataKey, iv).setAAD(Buffer.from(boundTo, "utf8"));
    const data = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    const [shown, nonce, tag] = [data, iv, cipher.getAuthTag()].map((bytes) => bytes.toString("base64"));
    return `ENC[AES256_GCM,data:${shown},iv:${nonce},tag:${tag},type:${type}]`;
  };
}

/** What sops hashes and encrypts of a value. */
function scalarOf(
  value: Exclude<Json, null | JsonObject | readonly Json[]>,
): Pick<Plaintext, "type"> & { readonly text: string } {
  if (typeof value === "string") return { text: value, type: "str" };
  if (typeof value === "boolean") return { text: value ? "True" : "False", type: "bool" };
  if (typeof value === "number" && Number.isSafeInteger(value)) return { text: String(value), type: "int" };
  throw unreadable("strings, booleans and whole numbers in a Secret");
}
