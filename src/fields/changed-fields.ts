/** Which fields differ between two states of an object. */

import type { FieldPath, FieldStep } from "./field-path.ts";
import { type FieldMap, type FieldValue, isList, isMap, namedItems } from "./manifest-tree.ts";

export interface ChangedField {
  readonly path: FieldPath;
  /** Undefined: it was not there. */
  readonly before: FieldValue | undefined;
  /** Undefined: it is not there any more. */
  readonly after: FieldValue | undefined;
}

/**
 * The smallest fields that tell the two apart, in the order of the second. What came or went whole is one field. Items of lists are compared
 * by their names where all have one, and said by their number after the change (before it, where they went); other lists by their
 * numbers while they have the same length, else as one field. Undefined: there is nothing.
 */
export function changedFields(before: FieldValue | undefined, after: FieldValue | undefined): readonly ChangedField[] {
  const found: ChangedField[] = [];
  compare({ before, after }, [], found);
  return found;
}

interface Pair {
  readonly before: FieldValue | undefined;
  readonly after: FieldValue | undefined;
}

function compare({ before, after }: Pair, path: FieldPath, found: ChangedField[]): void {
  if (isMap(before) && isMap(after)) compareMaps(before, after, (step) => [...path, step], found);
  else if (isList(before) && isList(after)) compareLists(before, after, path, found);
  else if (!Object.is(before, after)) found.push({ path, before, after });
}

function compareMaps(
  before: FieldMap,
  after: FieldMap,
  pathOf: (key: string) => FieldPath,
  found: ChangedField[],
): void {
  for (const key of new Set([...after.keys(), ...before.keys()])) {
    compare({ before: before.get(key), after: after.get(key) }, pathOf(key), found);
  }
}

function compareLists(
  before: readonly FieldValue[],
  after: readonly FieldValue[],
  path: FieldPath,
  found: ChangedField[],
): void {
  const namedBefore = namedItems(before);
  const namedAfter = namedItems(after);
  if (namedBefore !== null && namedAfter !== null && before.length > 0 && after.length > 0) {
    const placesBefore = placesOf(namedBefore);
    const placesAfter = placesOf(namedAfter);
    const step = (name: string): FieldStep => placesAfter.get(name) ?? placesBefore.get(name) ?? name;
    compareMaps(namedBefore, namedAfter, (name) => [...path, step(name)], found);
    if (moved(placesBefore, placesAfter)) found.push({ path, before, after });
  } else if (before.length === after.length) {
    for (const [at, item] of after.entries()) compare({ before: before[at], after: item }, [...path, at], found);
  } else found.push({ path, before, after });
}

function placesOf(named: ReadonlyMap<string, FieldMap>): ReadonlyMap<string, number> {
  return new Map(Array.from(named.keys(), (name, at) => [name, at]));
}

/** Those that stayed are in another order: of init containers, for one, that is a change. */
function moved(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): boolean {
  let last = -1;
  for (const name of before.keys()) {
    const at = after.get(name);
    if (at === undefined) continue;
    if (at < last) return true;
    last = at;
  }
  return false;
}
