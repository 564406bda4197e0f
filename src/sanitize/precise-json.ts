/**
 * JSON with the source text of every number that JSON.parse would alter (K29). Accepts what JSON.parse accepts and builds the same
 * objects: of duplicate keys the last wins, `__proto__` is a key like any other. Iterative, so depth costs memory only.
 */

import { isList, type Json, type JsonObject, NumberText, unreadable } from "./json-tree.ts";

interface Frame {
  readonly container: Json[] | JsonObject;
  /** Of the member whose value comes next. */
  key: string;
}

const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;

export function parsePrecisely(text: string): Json {
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  readonly #open: Frame[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Json {
    for (;;) {
      let value = this.#begin();
      if (value === undefined) continue;
      for (;;) {
        const frame = this.#open.at(-1);
        if (frame === undefined) {
          if (this.#peek() !== "") throw unreadable("the end of the JSON document");
          return value;
        }
        add(frame, value);
        const next = this.#take();
        if (next === ",") {
          if (!isList(frame.container)) this.#readKey(frame);
          break;
        }
        if (next !== (isList(frame.container) ? "]" : "}")) throw unreadable("a comma or the end of an object or list");
        this.#open.pop();
        value = frame.container;
      }
    }
  }

  /** A scalar or an empty container; undefined where a container was opened. */
  #begin(): Json | undefined {
    const first = this.#peek();
    if (first !== "{" && first !== "[") return this.#scalar(first);
    this.#at += 1;
    const frame: Frame = { container: first === "{" ? {} : [], key: "" };
    if (this.#peek() === (first === "{" ? "}" : "]")) {
      this.#at += 1;
      return frame.container;
    }
    if (first === "{") this.#readKey(frame);
    this.#open.push(frame);
    return undefined;
  }

  #scalar(first: string): Json {
    switch (first) {
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #readKey(frame: Frame): void {
    if (this.#peek() !== '"') throw unreadable("a key");
    frame.key = this.#string();
    if (this.#take() !== ":") throw unreadable("a colon after a key");
  }

  #string(): string {
    let end = this.#at + 1;
    for (;;) {
      end = this.#text.indexOf('"', end);
      if (end === -1) throw unreadable("the end of a string");
      let slashes = 0;
      while (this.#text.charCodeAt(end - 1 - slashes) === 0x5c) slashes += 1;
      end += 1;
      if (slashes % 2 === 0) break;
    }
    const token = this.#text.slice(this.#at, end);
    this.#at = end;
    try {
      return JSON.parse(token) as string;
    } catch {
      throw unreadable("a string without control characters or unknown escapes");
    }
  }

  #number(): number | NumberText {
    numberToken.lastIndex = this.#at;
    const source = numberToken.exec(this.#text)?.[0];
    if (source === undefined) throw unreadable("a value");
    this.#at += source.length;
    const value = Number(source);
    return Number.isSafeInteger(value) && String(value) === source ? value : new NumberText(source);
  }

  #word(word: string, value: boolean | null): boolean | null {
    if (!this.#text.startsWith(word, this.#at)) throw unreadable(word);
    this.#at += word.length;
    return value;
  }

  /** The next character that is not whitespace, which is skipped; empty at the end. */
  #peek(): string {
    let code = this.#text.charCodeAt(this.#at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09)
      code = this.#text.charCodeAt((this.#at += 1));
    return this.#text.charAt(this.#at);
  }

  #take(): string {
    const next = this.#peek();
    this.#at += 1;
    return next;
  }
}

function add(frame: Frame, value: Json): void {
  if (Array.isArray(frame.container)) {
    frame.container.push(value);
  } else if (frame.key === "__proto__") {
    Object.defineProperty(frame.container, "__proto__", {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else {
    frame.container[frame.key] = value;
  }
}
