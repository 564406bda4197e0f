/**
 * The few fields of a Kubernetes object that correlating needs, and the byte ranges that its hashes leave out or keep, found in
 * one pass over the raw bytes. Of a doubled key the last one counts, as in JSON.parse.
 */

import type { ResourceVersion, Uid } from "../../machines/messages.ts";

import { asBuffer, JsonMembers } from "./json-members.ts";

/** Where an object stands, and its version in it: all that `objectHash` needs. */
export interface VersionedRange {
  /** The object's range. */
  readonly start: number;
  readonly end: number;
  /** Range of the value of metadata.resourceVersion, quotes included; both -1 where there is none. */
  readonly versionStart: number;
  readonly versionEnd: number;
}

export interface ObjectHead extends VersionedRange {
  /** Strings are empty where the field is absent or of another type. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly uid: Uid | "";
  /** Empty, too, when it is no decimal integer (K15). */
  readonly resourceVersion: ResourceVersion | "";
  /** metadata.deletionTimestamp is there and not null. */
  readonly terminating: boolean;
  /** spec.replicas where it is a plain integer; null otherwise, and then `restHash` keeps what stands there. */
  readonly replicas: number | null;
  /**
   * What `restHash` keeps: pairs (start, end) of members, neighbours merged with the comma between them. A pair (mark, 0) says of
   * which level the following ones are; one that keeps nothing is still marked: an empty spec is not an absent one.
   */
  readonly rest: readonly number[];
}

/** Levels in `rest`. */
export const level = { object: -1, metadata: -2, spec: -3 } as const;

/** Reads the object that begins at `start` and ends at or before `end`; what follows it is not looked at. */
export function readObjectHead(raw: Uint8Array, start = 0, end = raw.length): ObjectHead {
  return new Head(asBuffer(raw), start, end);
}

/** Empty for what is no decimal integer (K15). */
export function toResourceVersion(text: string): ResourceVersion | "" {
  return (decimal.test(text) ? text : "") as ResourceVersion | "";
}

const decimal = /^(?:0|[1-9][0-9]*)$/;
const plainInteger = /^(?:0|-?[1-9][0-9]{0,14})$/;
const leftBrace = 0x7b;

class Head implements ObjectHead {
  readonly start: number;
  readonly end: number;
  apiVersion = "";
  kind = "";
  name = "";
  namespace = "";
  uid: Uid | "" = "";
  resourceVersion: ResourceVersion | "" = "";
  terminating = false;
  replicas: number | null = null;
  versionStart = -1;
  versionEnd = -1;
  readonly rest: number[] = [];

  constructor(bytes: Buffer, start: number, limit: number) {
    this.start = start;
    const members = new JsonMembers(bytes, start, limit);
    const kept = new Kept(level.object);
    while (members.next()) kept.see(this.#readMember(bytes, members, limit), members);
    this.end = members.end;
    kept.moveTo(this.rest);
  }

  /** Returns whether `restHash` keeps the member whole. */
  #readMember(bytes: Buffer, members: JsonMembers, limit: number): boolean {
    const isObject = members.valueByte() === leftBrace;
    if (members.is("metadata")) {
      this.#forgetMetadata();
      if (isObject) this.#readMetadata(bytes, members, limit);
      return !isObject;
    }
    if (members.is("spec")) {
      this.replicas = null;
      if (isObject) this.#readSpec(bytes, members, limit);
      return !isObject;
    }
    if (members.is("apiVersion")) this.apiVersion = members.text();
    else if (members.is("kind")) this.kind = members.text();
    return !members.is("status");
  }

  #forgetMetadata(): void {
    this.name = "";
    this.namespace = "";
    this.uid = "";
    this.resourceVersion = "";
    this.terminating = false;
    this.versionStart = -1;
    this.versionEnd = -1;
  }

  #readMetadata(bytes: Buffer, parent: JsonMembers, limit: number): void {
    const members = new JsonMembers(bytes, parent.valueStart, limit);
    const kept = new Kept(level.metadata);
    while (members.next()) kept.see(this.#readMetadataMember(members), members);
    kept.moveTo(this.rest);
    parent.skipTo(members.end);
  }

  #readMetadataMember(members: JsonMembers): boolean {
    if (members.is("name")) this.name = members.text();
    else if (members.is("namespace")) this.namespace = members.text();
    else if (members.is("uid")) this.uid = members.text() as Uid | "";
    else if (members.is("deletionTimestamp")) this.terminating = members.valueByte() !== 0x6e;
    else if (members.is("resourceVersion")) {
      this.resourceVersion = toResourceVersion(members.text());
      this.versionStart = members.valueStart;
      this.versionEnd = members.skip();
      return false;
    }
    return !members.is("generation") && !members.is("managedFields");
  }

  #readSpec(bytes: Buffer, parent: JsonMembers, limit: number): void {
    const members = new JsonMembers(bytes, parent.valueStart, limit);
    const kept = new Kept(level.spec);
    while (members.next()) {
      if (members.is("replicas"))
        this.replicas = toReplicas(bytes.toString("latin1", members.valueStart, members.skip()));
      kept.see(!members.is("replicas") || this.replicas === null, members);
    }
    kept.moveTo(this.rest);
    parent.skipTo(members.end);
  }
}

/** Collects the ranges of one level. */
class Kept {
  readonly #pairs: number[];
  #previous = false;

  constructor(of: number) {
    this.#pairs = [of, 0];
  }

  see(keep: boolean, members: JsonMembers): void {
    const valueEnd = members.skip();
    if (keep && this.#previous) this.#pairs[this.#pairs.length - 1] = valueEnd;
    else if (keep) this.#pairs.push(members.keyStart, valueEnd);
    this.#previous = keep;
  }

  moveTo(rest: number[]): void {
    rest.push(...this.#pairs);
  }
}

/** Other numbers (1.0, 1e2) have more than one spelling: they are content. */
function toReplicas(text: string): number | null {
  return plainInteger.test(text) ? Number(text) : null;
}
