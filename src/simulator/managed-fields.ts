/**
 * metadata.managedFields: who last changed or applied which field, with a time in whole seconds. A writer that changes no value
 * leaves them alone, which is what makes a no-op a no-op; an apply of equal values makes a second owner, which is a write.
 *
 * From k8s.io/apimachinery/pkg/util/managedfields and structured-merge-diff/merge. Left out: more than ten updaters, which
 * are merged there.
 */

import type { FieldSet } from "./field-set.ts";
import { fieldPath, fieldsV1Of, fieldSetOf, withoutBelow } from "./field-set.ts";
import type { Json, JsonObject } from "./json.ts";
import { arrayAt, equalJson, isObject, objectAt, stringAt, toJson, withMembers, without } from "./json.ts";
import type { SimulatedType } from "./resource-types.ts";
import { apiVersionOf } from "./resource-types.ts";
import { compareFields, fieldsOf, mergeConfiguration, removeFields, withNamedFields } from "./typed-value.ts";

export interface FieldWriter {
  readonly manager: string;
  readonly subresource: string;
  /** `2026-01-02T03:04:05Z` */
  readonly time: string;
}

/** One owner. The identity of an updater has its apiVersion in it, that of an applier has not. */
export interface FieldOwner {
  readonly manager: string;
  readonly operation: "Update" | "Apply";
  readonly apiVersion: string;
  readonly subresource: string;
  /** Empty: none. */
  readonly time: string;
  readonly fields: FieldSet;
}

/** By identity. */
type Owners = ReadonlyMap<string, FieldOwner>;

export type Applied =
  | { readonly kind: "applied"; readonly object: JsonObject }
  /** Somebody else owns what would change. */
  | { readonly kind: "conflict"; readonly managers: readonly string[] };

/** `next` with its managedFields set; `live` is null for a creation. */
export function trackUpdate(
  type: SimulatedType,
  { live, next }: { readonly live: JsonObject | null; readonly next: JsonObject },
  writer: FieldWriter,
): JsonObject {
  const own = arrayAt(objectAt(next, "metadata"), "managedFields");
  const reset = own.length === 1 && isObject(own[0]) && Object.keys(own[0]).length === 0;
  const given = writer.subresource === "" && !reset ? ownersOf(own) : new Map<string, FieldOwner>();
  const owners = given.size > 0 || reset ? given : ownersOf(entriesOf(live));
  // Whoever began without owners goes on without.
  if (owners.size === 0 && live !== null) return withOwners(next, []);
  return withOwners(next, [...updated(type, { live: live ?? type.zero, next, owners }, writer).values()]);
}

/** Server-side apply: what the manager leaves out that it alone owned goes. */
export function applyConfiguration(
  type: SimulatedType,
  { live, configuration }: { readonly live: JsonObject | null; readonly configuration: JsonObject },
  { writer, force }: { readonly writer: FieldWriter; readonly force: boolean },
): Applied {
  const before = live ?? type.zero;
  let owners = ownersOf(entriesOf(live));
  if (owners.size === 0) {
    owners = updated(type, { live: type.zero, next: before, owners }, { ...writer, manager: "before-first-apply" });
  }
  const applier: FieldOwner = {
    ...ownerOf(type, writer, "Apply"),
    fields: withoutBelow(fieldsOf(type, configuration), resetFields(type, writer.subresource)),
  };
  const identity = identityOf(applier);
  const last = owners.get(identity)?.fields ?? new Set<string>();
  const all = new Map([...owners, [identity, applier]]);
  const merged = prune(type, mergeConfiguration(type, before, configuration), { owners: all, last });
  const { left, conflicts } = takeOver(type, { live: before, next: merged, owners: all, but: identity }, writer);
  if (conflicts.length > 0 && !force) return { kind: "conflict", managers: conflicts };
  // Whoever applies what is there already owns it too, at no time.
  const time = equalJson(before, merged) ? (owners.get(identity)?.time ?? "") : writer.time;
  const stripped = withoutUnowned({ ...applier, time });
  const rest = [...left.values()].filter((owner) => identityOf(owner) !== identity);
  return { kind: "applied", object: withOwners(merged, stripped.fields.size === 0 ? rest : [...rest, stripped]) };
}

/** What only differs in times is as it was, and so is no write. */
export function withOldTimes(live: JsonObject, object: JsonObject): JsonObject {
  const timeless = (of: JsonObject): JsonObject =>
    withManagedFields(
      of,
      entriesOf(of).map((entry) => without(entry, "time")),
    );
  return equalJson(timeless(live), timeless(object)) ? withManagedFields(object, entriesOf(live)) : object;
}

export function ownersIn(object: JsonObject): readonly FieldOwner[] {
  return [...ownersOf(entriesOf(object)).values()];
}

/** Sorted as the API server does it. */
export function withOwners(object: JsonObject, owners: readonly FieldOwner[]): JsonObject {
  return withManagedFields(object, owners.toSorted(byOperationAndTime).map(entryOf));
}

export function identityOf({ manager, operation, apiVersion, subresource }: FieldOwner): string {
  return toJson([manager, operation, operation === "Apply" ? "" : apiVersion, subresource]);
}

function updated(
  type: SimulatedType,
  states: { readonly live: JsonObject; readonly next: JsonObject; readonly owners: Owners },
  writer: FieldWriter,
): Owners {
  const { left, changed } = takeOver(type, { ...states, but: "" }, writer);
  const updater = ownerOf(type, writer, "Update");
  const mine = withoutUnowned({ ...updater, fields: changed });
  if (mine.fields.size === 0) return left;
  const identity = identityOf(updater);
  const before = left.get(identity)?.fields ?? new Set<string>();
  return new Map([...left, [identity, { ...mine, fields: before.union(mine.fields) }]]);
}

/** Takes from the owners what changed and what is gone; `but` is who makes the change. */
function takeOver(
  type: SimulatedType,
  states: { readonly live: JsonObject; readonly next: JsonObject; readonly owners: Owners; readonly but: string },
  { subresource }: FieldWriter,
): { readonly left: Owners; readonly changed: FieldSet; readonly conflicts: readonly string[] } {
  const { added, modified, removed } = compareFields(type, states.live, states.next);
  const roots = resetFields(type, subresource);
  const changed = withoutBelow(added.union(modified), roots);
  const gone = withoutBelow(removed, roots);
  const conflicts: string[] = [];
  const left = new Map<string, FieldOwner>();
  for (const [identity, owner] of states.owners) {
    if (identity === states.but) {
      left.set(identity, owner);
      continue;
    }
    if (owner.fields.intersection(changed).size > 0) conflicts.push(owner.manager);
    const fields = owner.fields.difference(changed).difference(gone);
    if (fields.size > 0) left.set(identity, { ...owner, fields });
  }
  return { left, changed, conflicts };
}

/** Of what the applier said last and says no longer, what nobody else owns. */
function prune(
  type: SimulatedType,
  merged: JsonObject,
  { owners, last }: { readonly owners: Owners; readonly last: FieldSet },
): JsonObject {
  if (last.size === 0) return merged;
  const named = (set: FieldSet): FieldSet => withNamedFields(type, set);
  const all = named(fieldsOf(type, merged));
  const owned = named([...owners.values()].reduce<FieldSet>((sum, { fields }) => sum.union(fields), new Set()));
  const cut = removeFields(type, merged, named(last));
  const kept = removeFields(type, merged, all.difference(named(fieldsOf(type, cut)).union(owned)));
  return removeFields(type, merged, all.difference(named(fieldsOf(type, kept))).intersection(named(last)));
}

/** What the strategy of a (sub)resource puts back: nobody comes to own it by this way. */
function resetFields(type: SimulatedType, subresource: string): readonly string[] {
  if (!type.statusSubresource) return [];
  if (subresource !== "status") return [fieldPath("", "status")];
  const metadata = fieldPath("", "metadata");
  const kept = { nothing: [], labels: [fieldPath(metadata, "labels")], metadata: [metadata] }[type.keptFromStatus];
  return [fieldPath("", "spec"), ...kept];
}

const UNOWNED_METADATA = [
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "selfLink",
  "managedFields",
];
const UNOWNED: FieldSet = new Set([
  fieldPath("", "apiVersion"),
  fieldPath("", "kind"),
  fieldPath("", "metadata"),
  ...UNOWNED_METADATA.map((name) => fieldPath(fieldPath("", "metadata"), name)),
]);

function withoutUnowned(owner: FieldOwner): FieldOwner {
  return { ...owner, fields: owner.fields.difference(UNOWNED) };
}

function ownerOf(type: SimulatedType, writer: FieldWriter, operation: FieldOwner["operation"]): FieldOwner {
  return { ...writer, operation, apiVersion: apiVersionOf(type), fields: new Set() };
}

/** Of two entries with one identity the later counts. */
function ownersOf(entries: readonly Json[]): Owners {
  const owners = new Map<string, FieldOwner>();
  for (const entry of entries) {
    const owner: FieldOwner = {
      manager: stringAt(entry, "manager"),
      operation: stringAt(entry, "operation") === "Apply" ? "Apply" : "Update",
      apiVersion: stringAt(entry, "apiVersion"),
      subresource: stringAt(entry, "subresource"),
      time: stringAt(entry, "time"),
      fields: fieldSetOf(objectAt(entry, "fieldsV1")),
    };
    owners.set(identityOf(owner), owner);
  }
  return owners;
}

function entryOf({ manager, operation, apiVersion, subresource, time, fields }: FieldOwner): JsonObject {
  return {
    manager,
    operation,
    apiVersion,
    ...(time === "" ? {} : { time }),
    fieldsType: "FieldsV1",
    fieldsV1: fieldsV1Of(fields),
    ...(subresource === "" ? {} : { subresource }),
  };
}

function entriesOf(object: JsonObject | null): readonly JsonObject[] {
  return arrayAt(objectAt(object ?? {}, "metadata"), "managedFields").filter(isObject);
}

function withManagedFields(object: JsonObject, entries: readonly JsonObject[]): JsonObject {
  const managedFields = entries.length === 0 ? undefined : entries;
  return withMembers(object, { metadata: withMembers(objectAt(object, "metadata"), { managedFields }) });
}

function byOperationAndTime(a: FieldOwner, b: FieldOwner): number {
  const keyOf = ({ operation, time, manager, apiVersion, subresource }: FieldOwner): readonly string[] => [
    operation,
    time,
    manager,
    apiVersion,
    subresource,
  ];
  const [left, right] = [keyOf(a), keyOf(b)];
  for (const [index, part] of left.entries()) {
    const other = right[index] ?? "";
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
}
