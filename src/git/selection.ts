/** What becomes of an object's file in one target, by the selections that apply to it. */

import type { Operation, TypeKey } from "../../machines/messages.ts";
import { asksForLabels, type Selectable, type Selection, selects } from "../../machines/selection.ts";

/** `write` and `remove` the file; `ignore`: none of this target's business, or an operation that it does not name. */
export type SelectionResult = "write" | "remove" | "ignore";

export class SelectionIndex {
  readonly #byType = new Map<TypeKey, readonly Selection[]>();
  /** Some answer depends on labels. */
  readonly usesLabels: boolean;

  constructor(selections: readonly Selection[]) {
    for (const selection of selections) {
      this.#byType.set(selection.typeKey, [...(this.#byType.get(selection.typeKey) ?? []), selection]);
    }
    this.usesLabels = selections.some(asksForLabels);
  }

  /** False: whatever its labels, an object of this type and namespace is ignored. */
  covers(typeKey: TypeKey, namespace: string): boolean {
    return this.#covering(typeKey, namespace).length > 0;
  }

  /** An object that no selector takes loses its file in the change that made it leave, if that operation is named. */
  decide(change: Selectable & { readonly operation: Operation }): SelectionResult {
    const covering = this.#covering(change.typeKey, change.namespace);
    const selecting = covering.filter((selection) => selects(selection, change));
    const judging = selecting.length > 0 ? selecting : covering;
    if (!judging.some((selection) => selection.operations.includes(change.operation))) return "ignore";
    return selecting.length > 0 && change.operation !== "DELETE" ? "write" : "remove";
  }

  /** In a snapshot: does this object have a file? */
  includes(resource: Selectable): boolean {
    return this.#covering(resource.typeKey, resource.namespace).some((selection) => selects(selection, resource));
  }

  /** May a file without an object be removed? */
  removes(typeKey: TypeKey, namespace: string): boolean {
    return this.#covering(typeKey, namespace).some((selection) => selection.operations.includes("DELETE"));
  }

  #covering(typeKey: TypeKey, namespace: string): readonly Selection[] {
    const ofType = this.#byType.get(typeKey) ?? [];
    return ofType.filter(({ namespaces }) => namespaces === null || namespaces.includes(namespace));
  }
}
