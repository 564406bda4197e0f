/**
 * One value of a YAML document, with its place: the strict reader that every rule document goes through. A value that is not as
 * expected is noted as a problem and read as null (a list or map: as what of it could be read), so one pass finds everything.
 */

import type { Alias, Document, LineCounter, Node, ParsedNode } from "yaml";
import { isAlias, isMap, isNode, isScalar, isSeq } from "yaml";
import { nearest } from "./nearest.ts";
import { type Place, type Problem, quoted } from "./problem.ts";

/** What the fields of one document share. */
export interface FieldSource {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly problems: Problem[];
}

export interface FieldNames {
  readonly known: readonly string[];
  /** Fields of other releases: why they are refused. */
  readonly refused?: Readonly<Record<string, string>>;
}

export class Field {
  readonly path: string;
  readonly #source: FieldSource;
  readonly #node: unknown;
  readonly #offset: number;
  readonly #keyOffset: number;

  /** `offset`: of the key, or whatever is nearest to a value that is missing. */
  constructor(
    source: FieldSource,
    options: { readonly node: unknown; readonly path: string; readonly offset: number },
  ) {
    this.#source = source;
    this.path = options.path;
    const { node } = options;
    this.#keyOffset = options.offset;
    this.#offset = isNode(node) && node.range ? node.range[0] : options.offset;
    this.#node = isAlias(node) ? resolved(node, source.document) : node;
  }

  get place(): Place {
    return this.#placeOf(this.#offset);
  }

  /** There is something: not null, not just a key. */
  get present(): boolean {
    return this.#node !== null && this.#node !== undefined && !(isScalar(this.#node) && this.#node.value === null);
  }

  get isMap(): boolean {
    return isMap(this.#node);
  }

  problem(message: string): null {
    this.#source.problems.push({ place: this.place, path: this.path, message });
    return null;
  }

  problemAtKey(message: string): void {
    this.#source.problems.push({ place: this.#placeOf(this.#keyOffset), path: this.path, message });
  }

  /** The fields of a map; unknown ones are problems. A field without a value counts as absent. */
  fields(names: FieldNames): ReadonlyMap<string, Field> {
    const entries = this.entries(`a map with ${listed(names.known)}`);
    const fields = new Map<string, Field>();
    for (const [key, field] of entries) {
      if (names.known.includes(key)) {
        if (field.present) fields.set(key, field);
        continue;
      }
      const refusal = names.refused?.[key];
      const meant = nearest(key, names.known);
      const advice = meant === null ? `known fields are ${listed(names.known)}` : `did you mean "${meant}"?`;
      field.problemAtKey(refusal ?? `unknown field: ${advice}`);
    }
    return fields;
  }

  /** The entries of a map with free keys. */
  entries(expected: string): readonly (readonly [string, Field])[] {
    const node = this.#node;
    if (!isMap(node)) {
      this.problem(`expected ${expected}, found ${this.found()}`);
      return [];
    }
    const entries: (readonly [string, Field])[] = [];
    for (const { key, value } of node.items) {
      const offset = isNode(key) && key.range ? key.range[0] : this.#offset;
      const name = isScalar(key) && typeof key.value === "string" ? key.value : null;
      const path = `${this.path === "" ? "" : `${this.path}.`}${name ?? "?"}`;
      const field = new Field(this.#source, { node: value, path, offset });
      if (name === null) field.problemAtKey("expected a string for a key");
      else entries.push([name, field]);
    }
    return entries;
  }

  items(expected: string): readonly Field[] {
    const node = this.#node;
    if (!isSeq(node)) {
      this.problem(`expected ${expected}, found ${this.found()}`);
      return [];
    }
    return node.items.map((item, index) => {
      return new Field(this.#source, {
        node: item,
        path: `${this.path}[${index}]`,
        offset: this.#offset,
      });
    });
  }

  string(expected = "a string"): string | null {
    const node = this.#node;
    if (isScalar(node) && typeof node.value === "string") return node.value;
    const quotes = isScalar(node) && node.value !== null ? "; put it in quotes" : "";
    return this.problem(`expected ${expected}, found ${this.found()}${quotes}`);
  }

  wholeNumber({
    from,
    to,
    unit,
  }: {
    readonly from: number;
    readonly to: number;
    readonly unit: string;
  }): number | null {
    const node = this.#node;
    const value = isScalar(node) ? node.value : null;
    if (typeof value === "number" && Number.isInteger(value) && value >= from && value <= to) return value;
    return this.problem(`expected a whole number of ${unit} from ${from} to ${to}, found ${this.found()}`);
  }

  /** Strings that are not empty lists: what "absent" means is for the caller to say. */
  strings(expected: string): readonly Field[] {
    const items = this.items(`a list of ${expected}`);
    if (isSeq(this.#node) && items.length === 0)
      this.problem(`expected at least one of ${expected}, found an empty list`);
    return items;
  }

  oneOf<Value extends string>(values: readonly Value[]): Value | null {
    const expected = `one of ${listed(values)}`;
    const text = this.string(expected);
    if (text === null) return null;
    const value = values.find((candidate) => candidate === text);
    if (value !== undefined) return value;
    const meant = nearest(text, values);
    return this.problem(
      `expected ${expected}, found ${quoted(text)}${meant === null ? "" : `; did you mean "${meant}"?`}`,
    );
  }

  /** What stands there, in words. */
  found(): string {
    const node = this.#node;
    if (isMap(node)) return "a map";
    if (isSeq(node)) return "a list";
    if (!isScalar(node) || node.value === null) return "nothing";
    if (typeof node.value === "string") return quoted(node.value);
    return `the ${typeof node.value} ${JSON.stringify(node.value)}`;
  }

  #placeOf(offset: number): Place {
    const { line, col } = this.#source.lines.linePos(offset);
    return { file: this.#source.file, line: Math.max(1, line), column: Math.max(1, col) };
  }
}

function resolved(alias: Alias, document: Document.Parsed): Node | ParsedNode | null {
  return alias.resolve(document) ?? null;
}

function listed(words: readonly string[]): string {
  return words.join(", ");
}
