/** Takes from an object what states no intent: a deny-list, so whatever nobody named survives. */

import { commonRules } from "./common-rules.ts";
import type { JsonObject } from "./json-tree.ts";
import { kindRules } from "./kind-rules.ts";
import { type Sanitizer, sanitizerOf } from "./rule.ts";

export interface ObjectKind {
  /** Empty for the core group. */
  readonly group: string;
  readonly kind: string;
}

const common = sanitizerOf(commonRules);
/** Rules of the kind go first: some look at annotations that go from every kind. */
const byKind: ReadonlyMap<string, Sanitizer> = new Map(
  Object.entries(kindRules).map(([kind, rules]) => [kind, sanitizerOf([...rules, ...commonRules])]),
);

/** Changes a tree that the caller owns. Doing it twice is doing it once. */
export function sanitize(object: JsonObject, { group, kind }: ObjectKind): void {
  const sanitizer = byKind.get(`${group === "" ? "core" : group}/${kind}`) ?? common;
  sanitizer(object);
}

/** The server answers for the type; the object's own word counts as well, lest a wrong one lay a Secret open. */
export function isSecret(object: JsonObject, { group, kind }: ObjectKind): boolean {
  return (group === "" && kind === "Secret") || (object["kind"] === "Secret" && object["apiVersion"] === "v1");
}
