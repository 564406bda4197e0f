/**
 * What a bound evicted of resources of which nothing is kept: never seen, or gone. Who comes later on the same base would look like the only one.
 *
 * Owns a mark for each of `capacity` resources; beyond it the oldest goes into one for its type. As in Pending, that marks too much rather
 * than too little.
 */
import type { ResourceKey, ResourceVersion, TypeKey } from "../machines/messages.ts";
import { compareResourceVersions } from "../machines/messages.ts";

type Version = ResourceVersion | "";

interface Mark {
  readonly typeKey: TypeKey;
  readonly through: ResourceVersion;
}

export class EvictionMarks {
  readonly #capacity: number;
  readonly #ofResources = new Map<ResourceKey, Mark>();
  readonly #ofTypes = new Map<TypeKey, ResourceVersion>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  through(typeKey: TypeKey, key: ResourceKey): Version {
    return newer(this.#ofResources.get(key)?.through ?? "", this.#ofTypes.get(typeKey) ?? "");
  }

  /** Instead of what was there; empty where the resource keeps its mark itself, or has none. */
  set(typeKey: TypeKey, key: ResourceKey, through: Version): void {
    this.#ofResources.delete(key);
    const ofType = this.#ofTypes.get(typeKey) ?? "";
    if (through === "" || newer(through, ofType) === ofType) return;
    this.#ofResources.set(key, { typeKey, through });
    for (const [oldest, mark] of this.#ofResources) {
      if (this.#ofResources.size <= this.#capacity) break;
      this.#ofResources.delete(oldest);
      const merged = newer(mark.through, this.#ofTypes.get(mark.typeKey) ?? "");
      if (merged !== "") this.#ofTypes.set(mark.typeKey, merged);
    }
  }

  /** All that a list shows have their marks now, and what is created after it is newer than it. */
  listed(typeKey: TypeKey, version: ResourceVersion): void {
    const outlived = (through: Version): boolean => compareResourceVersions(through, version) <= 0;
    if (outlived(this.#ofTypes.get(typeKey) ?? "")) this.#ofTypes.delete(typeKey);
    for (const [key, mark] of this.#ofResources)
      if (mark.typeKey === typeKey && outlived(mark.through)) this.#ofResources.delete(key);
  }
}

function newer(a: Version, b: Version): Version {
  return compareResourceVersions(a, b) > 0 ? a : b;
}
