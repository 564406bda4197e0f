/** Label selectors in a query: `a=b,c!=d,e,!f,g in (x,y),h notin (z)`. */

import type { JsonObject } from "./json.ts";
import { stringAt } from "./json.ts";

export function matchesLabels(labels: JsonObject, selector: string): boolean {
  const requirements = selector.match(/(?:[^,(]|\([^)]*\))+/g) ?? [];
  return requirements.every((requirement) => matches(labels, requirement.trim()));
}

function matches(labels: JsonObject, requirement: string): boolean {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(requirement);
  if (set !== null) {
    const [, key = "", operator, values = ""] = set;
    const among =
      Object.hasOwn(labels, key) && values.split(",").some((value) => value.trim() === stringAt(labels, key));
    return among === (operator === "in");
  }
  const [, key = "", operator = "", value = ""] = /^([^=!]+?)\s*(!=|==?)\s*(.*)$/.exec(requirement) ?? [];
  if (operator === "") {
    const absent = requirement.startsWith("!");
    return Object.hasOwn(labels, absent ? requirement.slice(1).trim() : requirement) !== absent;
  }
  const equal = Object.hasOwn(labels, key) && stringAt(labels, key) === value;
  return equal === (operator !== "!=");
}
