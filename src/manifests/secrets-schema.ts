/**
 * `secrets` of a GitRepoConfig: a word, or a map where a policy needs more. A schema knows one type for each field, so this one has
 * none, and CEL does not see it. A keyword speaks of one kind of value and lets all others pass: so what maps must be stands first, for
 * its messages, and below it which kinds there may be.
 */

import type { Schema } from "./schema.ts";

const recipient = "^age1[02-9ac-hj-np-z]{58}$";

/** True of maps, and of nothing else. */
const isMap: Schema = { maxLength: 0, maxItems: 0, minimum: 1, maximum: 0, not: { enum: [true, false] } };

export const secretsSchema: Schema = {
  description:
    "What is committed of Secrets. omit (the default): their keys, and fingerprints of their values. {policy: encrypt, " +
    "recipients: [age1...]}: documents of SOPS for recipients of age. keep: their values, in the clear.",
  "x-kubernetes-preserve-unknown-fields": true,
  minLength: 1,
  minItems: 1,
  required: ["policy"],
  maxProperties: 2,
  properties: {
    policy: {
      type: "string",
      description: "omit, encrypt (which needs recipients) or keep.",
      enum: ["omit", "encrypt", "keep"],
    },
    recipients: {
      type: "array",
      description: "Public keys of age, for the policy encrypt alone.",
      "x-kubernetes-list-type": "atomic",
      minItems: 1,
      items: { type: "string", pattern: recipient },
    },
  },
  // Of several that fail, the server tells of the first one that fits as well as the others.
  anyOf: [
    { enum: ["omit", "keep"] },
    { ...isMap, required: ["recipients"], properties: { policy: { enum: ["encrypt"] } } },
    { ...isMap, maxProperties: 1, properties: { policy: { enum: ["omit", "keep"] } } },
  ],
};
