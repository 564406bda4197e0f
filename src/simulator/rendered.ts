/**
 * An object serialised exactly once. The review and the watch event are cut from the same text, so that they are equal but for
 * the value of metadata.resourceVersion (K36).
 */

import type { Json, JsonObject, Layout } from "./json.ts";
import { memberJson, objectAt, orderedMembers, withMembers, without } from "./json.ts";

export interface Rendered {
  /** Without metadata.resourceVersion. */
  readonly object: JsonObject;
  /** Text up to where metadata.resourceVersion stands, and from there on. */
  readonly head: string;
  readonly tail: string;
}

/** `object` needs metadata with a name. */
export function render(object: JsonObject, layout: Layout | null): Rendered {
  const bare = withMembers(object, { metadata: without(objectAt(object, "metadata"), "resourceVersion") });
  const marker: readonly (readonly [string, Json])[] = orderedMembers(
    withMembers(objectAt(bare, "metadata"), { resourceVersion: "" }),
    layout?.["metadata"] ?? null,
  );
  const members = orderedMembers(bare, layout);
  const at = members.findIndex(([key]) => key === "metadata");
  const memberText = ([key, value]: readonly [string, Json], fields: Layout | null) =>
    memberJson(key, value, fields?.[key] ?? null);
  const metadataLayout = layout?.["metadata"] ?? null;
  const cut = marker.findIndex(([key]) => key === "resourceVersion");
  const before = marker.slice(0, cut).map((member) => `${memberText(member, metadataLayout)},`);
  const after = marker.slice(cut + 1).map((member) => memberText(member, metadataLayout));
  return {
    object: bare,
    head: `{${members
      .slice(0, at)
      .map((member) => `${memberText(member, layout)},`)
      .join("")}"metadata":{${before.join("")}`,
    tail: `${after.join(",")}}${members
      .slice(at + 1)
      .map((member) => `,${memberText(member, layout)}`)
      .join("")}}`,
  };
}

/** The whole text; revision 0 leaves metadata.resourceVersion out, as in the review of a creation. */
export function textOf(rendered: Rendered, revision: number): string {
  return revision === 0
    ? rendered.head + rendered.tail
    : `${rendered.head}"resourceVersion":"${revision}",${rendered.tail}`;
}

export function sameContent(a: Rendered, b: Rendered): boolean {
  return a.head === b.head && a.tail === b.tail;
}
