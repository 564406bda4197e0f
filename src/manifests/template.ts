/**
 * Kubernetes objects with holes for what whoever installs may choose. One template has two readers: `fill` makes objects of it, for
 * `kubescribe install`, and deploy/chart-text.ts writes it down for Helm. So the two cannot differ.
 */

import type { InstallValues, ListItem } from "./install-values.ts";

export type Scalar = string | number | boolean | null;
export type Template = Scalar | Hole | readonly Template[] | { readonly [key: string]: Template };

/** A class, so that no object of Kubernetes is ever taken for one. */
export class Hole {
  readonly part: Part;
  constructor(part: Part) {
    this.part = part;
  }
}

export type Part =
  | Reference
  | { readonly kind: "text"; readonly parts: readonly (string | Reference)[] }
  /** In a list or a map, what is not chosen leaves no item and no entry. */
  | {
      readonly kind: "choice";
      readonly test: Test;
      readonly chosen: Template;
      readonly otherwise: Template | undefined;
    }
  /** In a list: one item for each of a list of values. */
  | { readonly kind: "each"; readonly list: ListName; readonly body: Template }
  /** Under any key of a map: more entries for it. */
  | { readonly kind: "fields"; readonly name: "pod" }
  | { readonly kind: "file"; readonly name: FileName };

export type Reference =
  | { readonly kind: "value"; readonly name: ValueName }
  /** Inside of `each`: a field of the item; null: the item itself. */
  | { readonly kind: "item"; readonly field: string | null };

export type Test =
  | { readonly kind: "is"; readonly name: ValueName; readonly text: string }
  | { readonly kind: "at-least"; readonly name: "replicas"; readonly number: number }
  /** A flag that is set, a list or a text that is not empty. */
  | { readonly kind: "given"; readonly name: keyof InstallValues }
  /** Of a chart, and not of what `kubescribe install` prints. */
  | { readonly kind: "in-chart" }
  | { readonly kind: "not"; readonly test: Test };

export type ListName = keyof {
  [Name in keyof InstallValues as InstallValues[Name] extends readonly ListItem[] ? Name : never]: 0;
};
export type ValueName = keyof {
  [Name in keyof InstallValues as InstallValues[Name] extends string | number ? Name : never]: 0;
};

/** Of deploy/, read when it is needed: rules for Prometheus, and what Grafana shows. */
export type FileName = "alerts.yaml" | "dashboard.json";

export function value(name: ValueName): Hole {
  return new Hole({ kind: "value", name });
}

export function item(field: string | null = null): Hole {
  return new Hole({ kind: "item", field });
}

/** Parts of one string. */
export function text(...parts: readonly (string | Hole)[]): Hole {
  return new Hole({ kind: "text", parts: parts.map((part) => (typeof part === "string" ? part : referenceIn(part))) });
}

export function when(test: Test, chosen: Template, otherwise?: Template): Hole {
  return new Hole({ kind: "choice", test, chosen, otherwise });
}

export function each(list: ListName, body: Template): Hole {
  return new Hole({ kind: "each", list, body });
}

export function fields(name: "pod"): Hole {
  return new Hole({ kind: "fields", name });
}

export function file(name: FileName): Hole {
  return new Hole({ kind: "file", name });
}

export function is(name: ValueName, text: string): Test {
  return { kind: "is", name, text };
}

export function given(name: keyof InstallValues): Test {
  return { kind: "given", name };
}

export function not(test: Test): Test {
  return { kind: "not", test };
}

export const inChart: Test = { kind: "in-chart" };
export const severalReplicas: Test = { kind: "at-least", name: "replicas", number: 2 };

function referenceIn({ part }: Hole): Reference {
  if (part.kind === "value" || part.kind === "item") return part;
  throw new Error(`A ${part.kind} is no part of a text.`);
}
