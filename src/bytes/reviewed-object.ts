/**
 * The head of an object in a review: of a review only the identity and `objectHash` are needed, so what `readObjectHead` collects
 * for `restHash` is passed by, and texts are made when they are asked for (of `object` beside an `oldObject` none is). It finds the
 * same as `readObjectHead`. Of a doubled key the last one counts, as in JSON.parse.
 */

import type { ResourceVersion, Uid } from "../../machines/messages.ts";

import { asBuffer, JsonMembers, readString } from "./json-members.ts";
import type { VersionedRange } from "./object-head.ts";
import { toResourceVersion } from "./object-head.ts";

const leftBrace = 0x7b;
const quote = 0x22;

/** Reads the object that begins at `start` and ends at or before `limit`; what follows it is not looked at. */
export class ReviewedObject implements VersionedRange {
  readonly start: number;
  readonly end: number;
  versionStart = -1;
  versionEnd = -1;
  readonly #bytes: Buffer;
  /** Ranges of strings, quotes included; an end of 0 where there is none. */
  #nameStart = 0;
  #nameEnd = 0;
  #namespaceStart = 0;
  #namespaceEnd = 0;
  #uidStart = 0;
  #uidEnd = 0;

  constructor(raw: Uint8Array, start: number, limit: number) {
    const bytes = asBuffer(raw);
    this.#bytes = bytes;
    this.start = start;
    const members = new JsonMembers(bytes, start, limit);
    while (members.next()) if (members.is("metadata")) this.#readMetadata(members, limit);
    this.end = members.end;
  }

  get name(): string {
    return this.#nameEnd === 0 ? "" : readString(this.#bytes, this.#nameStart, this.#nameEnd);
  }

  get namespace(): string {
    return this.#namespaceEnd === 0 ? "" : readString(this.#bytes, this.#namespaceStart, this.#namespaceEnd);
  }

  get uid(): Uid | "" {
    return (this.#uidEnd === 0 ? "" : readString(this.#bytes, this.#uidStart, this.#uidEnd)) as Uid | "";
  }

  get resourceVersion(): ResourceVersion | "" {
    const { versionStart, versionEnd } = this;
    if (versionStart < 0 || this.#bytes[versionStart] !== quote) return "";
    return toResourceVersion(readString(this.#bytes, versionStart, versionEnd));
  }

  #readMetadata(parent: JsonMembers, limit: number): void {
    this.versionStart = -1;
    this.versionEnd = -1;
    this.#nameEnd = 0;
    this.#namespaceEnd = 0;
    this.#uidEnd = 0;
    if (parent.valueByte() !== leftBrace) return;
    const members = new JsonMembers(this.#bytes, parent.valueStart, limit);
    while (members.next()) this.#readMember(members);
    parent.skipTo(members.end);
  }

  #readMember(members: JsonMembers): void {
    if (members.is("name")) {
      this.#nameStart = members.valueStart;
      this.#nameEnd = endOfString(members);
    } else if (members.is("namespace")) {
      this.#namespaceStart = members.valueStart;
      this.#namespaceEnd = endOfString(members);
    } else if (members.is("uid")) {
      this.#uidStart = members.valueStart;
      this.#uidEnd = endOfString(members);
    } else if (members.is("resourceVersion")) {
      this.versionStart = members.valueStart;
      this.versionEnd = members.skip();
    }
  }
}

function endOfString(members: JsonMembers): number {
  return members.valueByte() === quote ? members.skip() : 0;
}
