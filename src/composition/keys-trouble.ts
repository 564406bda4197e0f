/** Why the Secret of an installation does not hold its keys, and what a person can do about it. Pure. */

import type { Fault } from "../keys/key-texts.ts";
import { type Account, keysSecretName, secretRoleYaml } from "../manifests/secret-role.ts";

export interface KeysTrouble {
  readonly reason: "Missing" | "Forbidden" | "Unusable" | "Unreachable" | "Full";
  /** Its first line says what is; what to apply follows. */
  readonly message: string;
}

/** For a log, which has no room for YAML. */
export function lineOf({ message }: KeysTrouble): string {
  return message.split("\n", 1).join("");
}

const meanwhile = "Meanwhile keys of the data directory serve: without a volume, each new pod makes its own";

export function missingKeys(account: Account): KeysTrouble {
  const message = `${titleOf(account)}: expected the Secret that keys are kept in, found none. ${meanwhile}. Add:\n`;
  return { reason: "Missing", message: `${message}${toApply(account)}` };
}

export function forbiddenKeys(account: Account): KeysTrouble {
  const message = `${titleOf(account)}: this process may not keep its keys there. ${meanwhile}. Add:\n`;
  return { reason: "Forbidden", message: `${message}${toApply(account)}` };
}

/** What stands there is not quoted: it may be a key all the same. */
export function unusableKeys(account: Account, name: string, { expected, found, advice }: Fault): KeysTrouble {
  const message = `${titleOf(account)}, ${name}: expected ${expected}, found ${found}: none of it is used, or overwritten. ${advice}. ${meanwhile}.`;
  return { reason: "Unusable", message };
}

/** Nobody knows whose data keys stand there. */
export const lostKey: Fault = {
  expected: "the installation key beside the data keys",
  found: "none",
  advice: "Put it back; or remove the data keys too, for the key that is used now",
};

/** `message` of what went wrong: it is tried again. */
export function unreachableKeys(account: Account, message: string): KeysTrouble {
  return { reason: "Unreachable", message: `${titleOf(account)}: ${message} ${meanwhile}.` };
}

export function fullKeys(account: Account, limitBytes: number): KeysTrouble {
  const message = `${titleOf(account)}: expected room for another data key, found ${limitBytes} bytes of others that are used. Encrypt for fewer recipients, or in fewer combinations of them. ${meanwhile}.`;
  return { reason: "Full", message };
}

/** The Secret is empty in it, and so is left alone where there is one. */
function toApply(account: Account): string {
  const { namespace } = account;
  const name = keysSecretName(account.name);
  const role = secretRoleYaml({ secret: { name, namespace }, role: name, verbs: ["get", "update"], account });
  return `apiVersion: v1
kind: Secret
metadata: {name: ${name}, namespace: ${namespace}}
type: Opaque
---
${role}`;
}

function titleOf({ name, namespace }: Account): string {
  return `Secret ${namespace}/${keysSecretName(name)}`;
}
