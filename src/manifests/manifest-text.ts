/** Kubernetes objects as YAML for `kubectl apply -f -`, each with a word on what it is for. */

import { stringify } from "yaml";
import type { Filling, PlainObject } from "./fill.ts";
import { fillList } from "./fill.ts";
import { installationDocuments } from "./installation.ts";

/** `heading`: lines of a comment above all. */
export function manifestText(filling: Filling, heading: string): string {
  const documents = installationDocuments().flatMap(({ comment, template }) => {
    const objects = fillList([template], filling);
    return objects.map((object, index) => `---\n${commentOf(index === 0 ? comment : null)}${yamlOf(object)}`);
  });
  return `${commentOf(heading)}${documents.join("")}`;
}

/** In the same order. */
export function manifests(filling: Filling): readonly PlainObject[] {
  return fillList(
    installationDocuments().map(({ template }) => template),
    filling,
  ) as readonly PlainObject[];
}

function commentOf(comment: string | null): string {
  if (comment === null) return "";
  return comment
    .split("\n")
    .map((line) => (line === "" ? "#\n" : `# ${line}\n`))
    .join("");
}

/** Quoted where readers of YAML 1.1, such as kubectl, would see something else than a string. */
function yamlOf(object: unknown): string {
  return stringify(object, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false, indentSeq: false });
}
