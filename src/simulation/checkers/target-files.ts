/** Which files a target should have of a write, by the contract's paths and the target's rules. */

import type { SimulatedType } from "../../simulator/resource-types.ts";
import type { ObjectName, TrueState, TrueWrite } from "./truth.ts";

export interface CheckedTarget {
  /** Of every path; empty, or ending in a slash. */
  readonly prefix: string;
  readonly selects: (type: SimulatedType, namespace: string, labels: Readonly<Record<string, unknown>>) => boolean;
}

export class TargetFiles {
  readonly #target: CheckedTarget;
  readonly #types: ReadonlyMap<string, SimulatedType>;

  constructor(target: CheckedTarget, types: readonly SimulatedType[]) {
    this.#target = target;
    this.#types = new Map(types.map((type) => [type.key, type]));
  }

  pathOf({ typeKey, namespace, name }: ObjectName): string {
    return `${this.#target.prefix}${namespace === "" ? "_cluster" : namespace}/${typeKey}/${name}.yaml`;
  }

  /** Blob ids; empty for no file. */
  before(write: TrueWrite): string {
    return this.#blobOf(write, write.before);
  }

  after(write: TrueWrite): string {
    return this.#blobOf(write, write.after);
  }

  #blobOf({ typeKey, namespace }: ObjectName, state: TrueState | null): string {
    const type = this.#types.get(typeKey);
    if (state === null || type === undefined) return "";
    return this.#target.selects(type, namespace, state.labels) ? state.blob : "";
  }
}
