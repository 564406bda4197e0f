/**
 * Writes a template of src/manifests down for Helm. Every hole becomes an action; what a hole leaves out is a whole line, or some.
 */

import type { Document } from "../src/manifests/document.ts";
import type { Reference, Scalar, Template, Test } from "../src/manifests/template.ts";
import { Hole } from "../src/manifests/template.ts";

/** One file of the chart's templates. */
export function chartText(documents: readonly Document[]): string {
  return documents.flatMap(({ comment, template }) => documentLines(template, comment)).join("\n") + "\n";
}

function documentLines(template: Template, comment: string | null): readonly string[] {
  if (!(template instanceof Hole)) {
    const words = comment === null ? [] : comment.split("\n").map((line) => `# ${line}`.trimEnd());
    return ["---", ...words, ...mapLines(template, 0)];
  }
  return holeLines(template, 0, (inner) => documentLines(inner, comment));
}

/** Of a hole that stands for some lines or for none. */
function holeLines(hole: Hole, indent: number, lines: (template: Template) => readonly string[]): readonly string[] {
  const { part } = hole;
  const pad = " ".repeat(indent);
  if (part.kind === "each")
    return [`${pad}{{- range $item := $.Values.${part.list} }}`, ...lines(part.body), `${pad}{{- end }}`];
  if (part.kind !== "choice") throw new Error(`A ${part.kind} stands for no lines.`);
  const known = decided(part.test);
  if (known !== null) {
    const chosen = known ? part.chosen : part.otherwise;
    return chosen === undefined ? [] : lines(chosen);
  }
  const otherwise = part.otherwise === undefined ? [] : [`${pad}{{- else }}`, ...lines(part.otherwise)];
  return [`${pad}{{- if ${testText(part.test)} }}`, ...lines(part.chosen), ...otherwise, `${pad}{{- end }}`];
}

function mapLines(template: Template, indent: number): readonly string[] {
  if (template instanceof Hole || isList(template) || typeof template !== "object" || template === null)
    throw new Error("Expected a map.");
  return Object.entries(template).flatMap(([key, value]) => entryLines(key, value, indent));
}

function entryLines(key: string, value: Template, indent: number): readonly string[] {
  const pad = " ".repeat(indent);
  const name = scalarText(key);
  if (value instanceof Hole) {
    const { part } = value;
    switch (part.kind) {
      case "choice":
      case "each":
        return holeLines(value, indent, (inner) => entryLines(key, inner, indent));
      case "fields":
        return [
          `${pad}{{- with $.Values.${part.name} }}`,
          `${pad}{{- toYaml . | nindent ${indent} }}`,
          `${pad}{{- end }}`,
        ];
      case "file": {
        const got = `$.Files.Get "files/${part.name}"`;
        if (part.name.endsWith(".json")) return [`${pad}${name}: {{ ${got} | toJson }}`];
        return [`${pad}${name}:`, `${pad}  {{- ${got} | nindent ${indent + 2} }}`];
      }
      case "value":
      case "item":
      case "text":
        return [`${pad}${name}: ${inlineText(value)}`];
      default:
        return part satisfies never;
    }
  }
  if (typeof value !== "object" || value === null) return [`${pad}${name}: ${scalarText(value)}`];
  if (Object.keys(value).length === 0) return [`${pad}${name}: ${isList(value) ? "[]" : "{}"}`];
  return [`${pad}${name}:`, ...(isList(value) ? listLines(value, indent) : mapLines(value, indent + 2))];
}

function listLines(list: readonly Template[], indent: number): readonly string[] {
  return list.flatMap((template) => itemLines(template, indent));
}

function itemLines(template: Template, indent: number): readonly string[] {
  const pad = " ".repeat(indent);
  if (template instanceof Hole) {
    if (template.part.kind === "choice" || template.part.kind === "each")
      return holeLines(template, indent, (inner) => itemLines(inner, indent));
    return [`${pad}- ${inlineText(template)}`];
  }
  if (typeof template !== "object" || template === null) return [`${pad}- ${scalarText(template)}`];
  if (isList(template)) throw new Error("A list in a list: nothing in Kubernetes has one.");
  if (Object.keys(template).length === 0) return [`${pad}- {}`];
  const [first = "", ...rest] = mapLines(template, indent + 2);
  if (first.trimStart().startsWith("{{")) throw new Error("The first field of an item cannot be left out.");
  return [`${pad}- ${first.trimStart()}`, ...rest];
}

function inlineText({ part }: Hole): string {
  if (part.kind === "value" || part.kind === "item") return `{{ toJson ${referenceText(part)} }}`;
  if (part.kind !== "text") throw new Error(`A ${part.kind} is not said in a word.`);
  const pieces = part.parts.map((piece) => (typeof piece === "string" ? piece : `{{ ${referenceText(piece)} }}`));
  return `"${pieces.join("")}"`;
}

function referenceText(reference: Reference): string {
  if (reference.kind === "item") return reference.field === null ? "$item" : `$item.${reference.field}`;
  return reference.name === "namespace" ? "$.Release.Namespace" : `$.Values.${reference.name}`;
}

/** Null: the values decide. */
function decided(test: Test): boolean | null {
  if (test.kind === "in-chart") return true;
  if (test.kind !== "not") return null;
  const inner = decided(test.test);
  return inner === null ? null : !inner;
}

function testText(test: Test): string {
  switch (test.kind) {
    case "is":
      return `eq $.Values.${test.name} "${test.text}"`;
    case "at-least":
      return `ge (int $.Values.${test.name}) ${test.number}`;
    case "given":
      return `$.Values.${test.name}`;
    case "not":
      return test.test.kind === "is"
        ? `ne $.Values.${test.test.name} "${test.test.text}"`
        : `not (${testText(test.test)})`;
    case "in-chart":
      throw new Error("This is known when the chart is written.");
    default:
      return test satisfies never;
  }
}

/** Words that a reader of YAML 1.1 takes for something else than a string. */
const reserved = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

function scalarText(value: Scalar): string {
  if (typeof value !== "string") return JSON.stringify(value);
  if (value.includes("{{")) throw new Error(`Helm would read this as an action: ${value}`);
  const plain = /^[A-Za-z](?:[A-Za-z0-9 ,._/-]*[A-Za-z0-9._/-])?$/.test(value) && !reserved.test(value);
  return plain ? value : JSON.stringify(value);
}

/** Array.isArray does not know readonly arrays. */
function isList(template: Template): template is readonly Template[] {
  return Array.isArray(template);
}
