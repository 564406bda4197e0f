/**
 * What a target wants, compiled from rule documents: plain data, so that it reaches a worker thread as it is. Selecting
 * happens after the actor, never on the watch (K13).
 */

import type { Operation, TypeKey } from "./messages.ts";

/** One rule for one resource type. A target has a list of them; a resource is wanted when any selects it. */
export interface Selection {
  readonly typeKey: TypeKey;
  /** Null: every namespace, and cluster-scoped resources. */
  readonly namespaces: readonly string[] | null;
  /** All must be there. As `metadata.labels` has them. */
  readonly matchLabels: Readonly<Record<string, string>>;
  /** All must hold. */
  readonly matchExpressions: readonly LabelExpression[];
  /** Operations that make commits. Without DELETE the file of a deleted object stays. */
  readonly operations: readonly Operation[];
}

export type LabelOperator = "In" | "NotIn" | "Exists" | "DoesNotExist";

/** As a Kubernetes LabelSelectorRequirement; `values` is empty for Exists and DoesNotExist. */
export interface LabelExpression {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

export interface Selectable {
  readonly typeKey: TypeKey;
  /** Empty for a cluster-scoped resource. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Whether `resource` is one that `selection` is about; operations are not looked at. */
export function selects(selection: Selection, resource: Selectable): boolean {
  if (selection.typeKey !== resource.typeKey) return false;
  if (selection.namespaces !== null && !selection.namespaces.includes(resource.namespace)) return false;
  for (const [key, value] of Object.entries(selection.matchLabels)) {
    if (labelOf(resource.labels, key) !== value) return false;
  }
  return selection.matchExpressions.every((expression) => holds(expression, resource.labels));
}

/** The operations for which any of `selections` wants a commit; empty: no file of this resource belongs in the target. */
export function selectedOperations(selections: readonly Selection[], resource: Selectable): ReadonlySet<Operation> {
  const operations = new Set<Operation>();
  for (const selection of selections) {
    if (selects(selection, resource)) for (const operation of selection.operations) operations.add(operation);
  }
  return operations;
}

/** False: `selects` gives the same answer whatever the labels are, so nobody needs to read them. */
export function asksForLabels(selection: Selection): boolean {
  return selection.matchExpressions.length > 0 || Object.keys(selection.matchLabels).length > 0;
}

function holds(expression: LabelExpression, labels: Readonly<Record<string, string>>): boolean {
  const value = labelOf(labels, expression.key);
  switch (expression.operator) {
    case "In":
      return value !== undefined && expression.values.includes(value);
    // As in Kubernetes: an object without the label is not in the set.
    case "NotIn":
      return value === undefined || !expression.values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return expression.operator satisfies never;
  }
}

/** Labels come from JSON: a label named like a member of Object.prototype must not be found there. */
function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
