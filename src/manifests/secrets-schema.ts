/**
 * `secrets` of a GitRepoConfig: a word, or a map where a policy needs more. A schema knows one type for each field, so this one has
 * none, and says for each kind of value what is wrong with it. CEL does not see such a field.
 */

import type { Schema } from "./schema.ts";

const recipient = "^age1[02-9ac-hj-np-z]{58}$";

/** True of maps, and of nothing else: a keyword speaks of one kind of value, and lets all others pass. */
const isMap: Schema = {
  maxLength: 0,
  maxItems: 0,
  minimum: 1,
  maximum: 0,
  not: { enum: [true, false] },
};

export const secretsSchema: Schema = {
  description:
    "What is committed of Secrets. omit (the default): their keys, and fingerprints of their values. {policy: encrypt, " +
    "recipients: [age1...]}: documents of SOPS for recipients of age. keep: their values, in the clear.",
  "x-kubernetes-preserve-unknown-fields": true,
  minLength: 1,
  minItems: 1,
  properties: {
    policy: { type: "string", description: "omit, encrypt or keep." },
    recipients: {
      type: "array",
      description: "Public keys of age.",
      "x-kubernetes-list-type": "atomic",
      items: { type: "string" },
    },
  },
  anyOf: [
    { enum: ["omit", "keep"] },
    { ...isMap, required: ["policy"], maxProperties: 1, properties: { policy: { enum: ["omit", "keep"] } } },
    {
      ...isMap,
      required: ["policy", "recipients"],
      maxProperties: 2,
      properties: { policy: { enum: ["encrypt"] }, recipients: { minItems: 1, items: { pattern: recipient } } },
    },
  ],
};
