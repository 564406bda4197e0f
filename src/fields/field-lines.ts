/**
 * The lines of a field in canonical YAML, found without parsing: where they are equal in two files, so is the field.
 *
 * 1. The way goes as far down the path as the lines can tell; what stands there holds the field. 2. What `canonicalYaml` would not have
 * written (comments, aliases, other indentation: somebody's edit in Git) ends the way before it. 3. Below a value that is neither map nor
 * list, and in a map without the key, there is no field.
 */

import type { FieldPath, FieldStep } from "./field-path.ts";

export interface FieldLines {
  /** Steps of the path that were gone; all of them: the lines are the field's own. */
  readonly steps: number;
  /** Empty: there is no such field. */
  readonly lines: string;
}

export function sameLines(one: FieldLines | null, other: FieldLines | null): boolean {
  return one !== null && other !== null && one.steps === other.steps && one.lines === other.lines;
}

/** Null: the lines tell nothing at all. */
export function linesOf(text: string, path: FieldPath): FieldLines | null {
  if (!isBlockMap(text)) return null;
  let here: Block = { text, from: 0, to: text.length, value: 0, column: 0, kind: "map" };
  for (const [steps, step] of path.entries()) {
    const next = childOf(here, step);
    if (next === "unclear") return fieldLines(here, steps);
    if (next === "absent") return { steps: path.length, lines: "" };
    here = next;
  }
  return fieldLines(here, path.length);
}

function fieldLines({ text, from, to }: Block, steps: number): FieldLines | null {
  const lines = text.slice(from, to);
  return reference.test(lines) ? null : { steps, lines };
}

/** An alias, an anchor, a tag: what is meant may stand elsewhere. Canonical YAML has them only inside of texts. */
const reference = /(?:^|[:?-]) *[*&!]/m;

/** The API server's JSON, which stands where a file could not be sanitized, has no lines; a carriage return ends none of ours. */
function isBlockMap(text: string): boolean {
  return /^[A-Za-z]/.test(text) && text.endsWith("\n") && !text.includes("\r");
}

/** A value with its lines. */
interface Block {
  readonly text: string;
  /** Of the lines: from the key, or what follows the dash, to the end of the last line. */
  readonly from: number;
  readonly to: number;
  /** Where the first key or the first dash stands. */
  readonly value: number;
  /** Of its keys, or its dashes. */
  readonly column: number;
  readonly kind: "map" | "list" | "scalar" | "unclear";
}

type Child = Block | "absent" | "unclear";

function childOf(block: Block, step: FieldStep): Child {
  if (block.kind === "unclear") return "unclear";
  if (typeof step === "string") return block.kind === "map" ? memberOf(block, step) : "absent";
  if (block.kind !== "list") return "absent";
  const items = itemsOf(block);
  if (items === null) return "unclear";
  return typeof step === "number" ? itemAt(items, step) : itemNamed(items, step.name);
}

/** Keys that are written as they are: bare, or between quotes. */
const simpleKey = /^[\w./$(@%+,=-][!#-&(-[\]-~]*$/;

function memberOf(map: Block, key: string): Child {
  if (!simpleKey.test(key)) return "unclear";
  const { text, to, column } = map;
  let found: Block | null = null;
  for (let at = map.value; at < to;) {
    const next = nextLine(map, at);
    if (next === null) return "unclear";
    const colon = colonAfter(text, at, key);
    if (colon === null && oddKey.test(text[at] ?? "")) return "unclear";
    // A key stands but once: of two, another reader may take the other.
    if (colon !== null && found !== null) return "unclear";
    if (colon !== null) found = memberAt({ text, from: at, to: next, column }, colon);
    at = next + column;
  }
  return found ?? "absent";
}

/** Keys that may be written in several ways, or are no texts; comments, and the marks between documents. */
const oddKey = /[^\w./$("'-]/;

/** The next line of the block that begins in its column, but for the items of a list there; `to` behind the last. */
function nextLine({ text, to, column }: Pick<Block, "text" | "to" | "column">, from: number): number | null {
  for (let at = text.indexOf("\n", from) + 1; at < to; at = text.indexOf("\n", at) + 1) {
    // Most are deeper.
    if (text[at + column] === " ") continue;
    const spaces = spacesAt(text, at);
    const first = text[at + spaces] ?? "";
    // Inside a text of several lines.
    if (first === "\n") continue;
    if (spaces < column || isDocumentMark(text, at)) return null;
    if (!text.startsWith("- ", at + spaces)) return at;
  }
  return to;
}

function isDocumentMark(text: string, at: number): boolean {
  return text.startsWith("---", at) || text.startsWith("...", at);
}

function spacesAt(text: string, at: number): number {
  let spaces = 0;
  while (text[at + spaces] === " ") spaces++;
  return spaces;
}

/** Behind the colon, where this key stands. Null: it is another. */
function colonAfter(text: string, at: number, key: string): number | null {
  const first = text[at];
  const quote = first === '"' || first === "'" ? first : "";
  const end = at + key.length + 2 * quote.length + 1;
  const after = text[end];
  return (after === " " || after === "\n") && text.startsWith(`${quote}${key}${quote}:`, at) ? end : null;
}

function memberAt(place: Pick<Block, "text" | "from" | "to" | "column">, colon: number): Block {
  const { text, to, column } = place;
  const value = colon + 1;
  if (text[colon] === " ") return { ...place, value, kind: scalarKind(text, value) };
  const spaces = spacesAt(text, value);
  const first = value + spaces;
  const dash = text.startsWith("- ", first);
  if (value < to && spaces === column && dash) return { ...place, value: first, kind: "list" };
  const isMap = value < to && spaces === column + 2 && !dash && !oddStart.test(text[first] ?? "");
  return { ...place, value: first, column: column + 2, kind: isMap ? "map" : "unclear" };
}

/** What is in braces may be a map on one line; what refers to something else may be anything. Empty ones have no children. */
function scalarKind(text: string, at: number): Block["kind"] {
  if (text.startsWith("{}\n", at) || text.startsWith("[]\n", at)) return "scalar";
  return oddStart.test(text[at] ?? "") ? "unclear" : "scalar";
}

const oddStart = /[[\]{}&*!#?%@`, \t\n]/;

/** Null: there is one that canonical YAML would not have. */
function itemsOf({ text, value, to, column }: Block): readonly Block[] | null {
  const items: Block[] = [];
  const dash = `\n${" ".repeat(column)}- `;
  for (let from = value + 2; from < to;) {
    const next = text.indexOf(dash, from);
    const end = next < 0 || next >= to ? to : next + 1;
    const kind = itemKind(text, from);
    if (kind === "unclear") return null;
    items.push({ text, from, to: end, value: from, column: column + 2, kind });
    from = end + column + 2;
  }
  return items;
}

const quotedText = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'/y;
const bareKey = /[^\n]*?:[ \n]/y;

function itemKind(text: string, at: number): Block["kind"] {
  if (text.startsWith("- ", at)) return "list";
  const first = text[at] ?? "";
  if (first === '"' || first === "'") {
    quotedText.lastIndex = at;
    if (!quotedText.test(text)) return "unclear";
    const after = text[quotedText.lastIndex];
    return after === ":" ? "map" : after === "\n" ? "scalar" : "unclear";
  }
  bareKey.lastIndex = at;
  return bareKey.test(text) && !oddStart.test(first) ? "map" : scalarKind(text, at);
}

/** By its place, where the items have no names to be followed by. */
function itemAt(items: readonly Block[], at: number): Child {
  const [first] = items;
  if (first?.kind === "map" && memberOf(first, "name") !== "absent") return "unclear";
  return items[at] ?? "absent";
}

/** As `namedItems` has it: all of them have a name of their own, or none counts. */
function itemNamed(items: readonly Block[], wanted: string): Child {
  const names = new Map<string, Block>();
  for (const item of items) {
    const name = item.kind === "map" ? nameIn(item) : "absent";
    if (typeof name === "string") return name;
    if (names.has(name.text)) return "unclear";
    names.set(name.text, item);
  }
  return names.get(wanted) ?? "absent";
}

/** A word that is a text to every reader, or one between quotes that needs no escape; to the end of the line. */
const nameLine = /(?:(?!(?:true|false|null)\n)([A-Za-z_][\w./-]*)|"([^"\\\n]*)"|'([^'\n]*)')\n/iy;

function nameIn(item: Block): { readonly text: string } | "absent" | "unclear" {
  const name = memberOf(item, "name");
  if (typeof name === "string") return name;
  nameLine.lastIndex = name.value;
  const found = name.kind === "scalar" ? nameLine.exec(name.text) : null;
  if (found === null || nameLine.lastIndex !== name.to) return "unclear";
  return { text: found[1] ?? found[2] ?? found[3] ?? "" };
}
