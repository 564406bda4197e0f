/**
 * The types that discovery found, in every version, preferred first, as `compileRules` wants them. Owns one object per type and
 * version, so that what did not change stays the very same object from one discovery to the next.
 */

import type { ResourceType } from "../../machines/messages.ts";
import type { Served } from "../kubernetes/discovery.ts";
import { resourceTypeOf } from "../kubernetes/discovery.ts";

export class ServedTypes {
  #known = new Map<string, ResourceType>();

  read({ types }: Pick<Served, "types">): readonly ResourceType[] {
    const known = new Map<string, ResourceType>();
    for (const type of types) {
      for (const { version } of type.versions) {
        const found = resourceTypeOf(type, (candidate) => candidate === version);
        if (found === null) continue;
        const identity = JSON.stringify(found);
        known.set(identity, this.#known.get(identity) ?? found);
      }
    }
    this.#known = known;
    return [...known.values()];
  }
}
