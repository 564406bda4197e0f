/**
 * From the bytes of an AdmissionReview to what a correlation needs. Only the request's few fields are read; of the objects, which
 * are nearly all of the bytes, the head and the hashes.
 */

import { hash } from "node:crypto";

import { KubescribeError } from "../../machines/error.ts";
import type { Correlation, ObjectHash, Operation, Uid } from "../../machines/messages.ts";
import { typeKeyOf } from "../../machines/messages.ts";
import { asBuffer, JsonMembers, readString } from "../bytes/json-members.ts";
import { expectEnd, skipSpace } from "../bytes/json-scan.ts";
import { objectHash } from "../bytes/object-hash.ts";
import { readObjectHead } from "../bytes/object-head.ts";
import { ReviewedObject } from "../bytes/reviewed-object.ts";
import { stageDocument } from "../bytes/skip-container.ts";

/** A longer username is cut, and a hash of the whole is put behind it: two of them never look like one. UTF-16 units. */
export const maxUserLength = 16_384;
/** Longer claims are left out: half an e-mail address would be a wrong one. UTF-16 units. */
export const maxClaimLength = 1024;
/** The API server allows no longer one. */
const maxFieldManagerLength = 128;
/** Most names end at 253 characters; those of roles have no bound of their own. */
const maxNameLength = 16_384;
const maxUidLength = 128;

/** A correlation but for what the scan cannot know. */
export type CorrelationDraft = Omit<Correlation, "arrival" | "atMs" | "restored">;

export interface ScannedReview {
  readonly requestUid: string;
  /** Of the review: the answer repeats them (K21). */
  readonly apiVersion: string;
  readonly kind: string;
  readonly outcome:
    | {
        readonly kind: "recorded";
        readonly draft: CorrelationDraft;
        /** Range of `object` in the body; null for DELETE. */
        readonly object: { readonly start: number; readonly end: number } | null;
        /** Fields that a bound shortened or left out. */
        readonly shortened: readonly ("user" | "claim")[];
      }
    | { readonly kind: "ignored"; readonly reason: "dry-run" | "connect" | "subresource" | "unidentified" };
}

/**
 * Throws a KubescribeError (`json-malformed`, `json-too-deep`, `review-malformed`) for what is no AdmissionReview; what is passed over
 * is not checked any further than for its end (skip-container.ts). `claimKeys` are the keys of userInfo.extra to keep.
 */
export function scanReview(raw: Uint8Array, claimKeys: readonly string[]): ScannedReview {
  const bytes = asBuffer(raw);
  stageDocument(bytes, 0, bytes.length);
  const members = new JsonMembers(bytes, skipSpace(bytes, 0, bytes.length), bytes.length);
  let apiVersion = "";
  let kind = "";
  let request: Request | null = null;
  while (members.next()) {
    if (members.is("apiVersion")) apiVersion = members.textLike(reviewVersions);
    else if (members.is("kind")) kind = members.textLike(reviewKinds);
    else if (members.is("request")) request = members.valueByte() === leftBrace ? new Request(bytes, members) : null;
  }
  expectEnd(bytes, members.end, bytes.length);
  if (kind !== "AdmissionReview" || !apiVersion.startsWith("admission.k8s.io/")) {
    throw reviewMalformed(
      `kind AdmissionReview of admission.k8s.io, found ${JSON.stringify([apiVersion, kind]).slice(0, 200)}`,
    );
  }
  if (request === null || request.uid === "" || request.operation === "") {
    throw reviewMalformed("a request with a uid and an operation");
  }
  return { requestUid: request.uid, apiVersion, kind, outcome: outcomeOf(bytes, request, claimKeys) };
}

const reviewVersions = ["admission.k8s.io/v1"] as const;
const reviewKinds = ["AdmissionReview"] as const;
const operations = ["UPDATE", "CREATE", "DELETE"] as const;
const leftBrace = 0x7b;
const quote = 0x22;

/** The request's fields as they are found. Of a doubled one the last counts. */
class Request {
  uid = "";
  operation = "";
  group = "";
  resource = "";
  subresource = "";
  name: Range | null = null;
  namespace: Range | null = null;
  dryRun = false;
  fieldManager = "";
  userInfo: Range | null = null;
  object: ReviewedObject | null = null;
  oldObject: ReviewedObject | null = null;

  constructor(bytes: Buffer, parent: JsonMembers) {
    const members = new JsonMembers(bytes, parent.valueStart, bytes.length);
    while (members.next()) this.#readMember(bytes, members);
    parent.skipTo(members.end);
  }

  #readMember(bytes: Buffer, members: JsonMembers): void {
    if (members.is("uid")) this.uid = members.text();
    else if (members.is("operation")) this.operation = members.textLike(operations);
    else if (members.is("name")) this.name = rangeOf(members);
    else if (members.is("namespace")) this.namespace = rangeOf(members);
    else if (members.is("subResource")) this.subresource = members.text();
    else if (members.is("dryRun")) this.dryRun = members.valueByte() === 0x74;
    else if (members.is("object")) this.object = readObject(bytes, members);
    else if (members.is("oldObject")) this.oldObject = readObject(bytes, members);
    else if (members.is("userInfo")) this.userInfo = rangeOf(members);
    // `resource` is the type as the webhook's rule names it; `requestResource` may be another version of it.
    else if (members.is("resource")) this.#readResource(bytes, members);
    else if (members.is("options")) this.fieldManager = readTextMember(bytes, members, "fieldManager");
  }

  #readResource(bytes: Buffer, parent: JsonMembers): void {
    this.group = "";
    this.resource = "";
    if (parent.valueByte() !== leftBrace) return;
    const members = new JsonMembers(bytes, parent.valueStart, bytes.length);
    while (members.next()) {
      if (members.is("group")) this.group = members.text();
      else if (members.is("resource")) this.resource = members.text();
    }
    parent.skipTo(members.end);
  }
}

function readObject(bytes: Buffer, members: JsonMembers): ReviewedObject | null {
  if (members.valueByte() !== leftBrace) return null;
  const head = new ReviewedObject(bytes, members.valueStart, bytes.length);
  members.skipTo(head.end);
  return head;
}

function readTextMember(bytes: Buffer, parent: JsonMembers, name: string): string {
  let text = "";
  if (parent.valueByte() !== leftBrace) return text;
  const members = new JsonMembers(bytes, parent.valueStart, bytes.length);
  while (members.next()) if (members.is(name)) text = members.text();
  parent.skipTo(members.end);
  return text;
}

function outcomeOf(bytes: Buffer, request: Request, claimKeys: readonly string[]): ScannedReview["outcome"] {
  if (request.dryRun) return { kind: "ignored", reason: "dry-run" };
  const { operation } = request;
  if (!isOperation(operation)) return { kind: "ignored", reason: "connect" };
  // An eviction, a binding, a token: it writes something else, or nothing (K18).
  if (operation === "CREATE" && request.subresource !== "") return { kind: "ignored", reason: "subresource" };
  const identity = identify(bytes, request, operation);
  if (identity === null) return { kind: "ignored", reason: "unidentified" };
  const shortened: ("user" | "claim")[] = [];
  const { object, oldObject } = request;
  return {
    kind: "recorded",
    object,
    shortened,
    draft: {
      typeKey: typeKeyOf(request.group, request.resource),
      ...identity,
      operation,
      subresource: request.subresource,
      ...readUser(bytes, request, claimKeys, shortened),
      fieldManager: request.fieldManager.slice(0, maxFieldManagerLength),
      base: operation === "CREATE" ? "" : (oldObject?.resourceVersion ?? ""),
      objectHash: hashOf(bytes, object),
      unchanged: object !== null && oldObject !== null && sameBytes(bytes, object, oldObject),
      replicas: request.subresource === "scale" ? replicasOf(bytes, object) : null,
    },
  };
}

/**
 * Whose write it is, as its watch event will say it: a deletecollection's reviews have no request.name (K10), and the API server
 * puts a Namespace into the namespace of its own name.
 */
function identify(
  bytes: Buffer,
  request: Request,
  operation: Operation,
): { readonly uid: Uid; readonly name: string; readonly namespace: string } | null {
  const head = operation === "CREATE" ? request.object : (request.oldObject ?? request.object);
  if (head === null || request.resource === "") return null;
  const { uid, name: ownName, namespace: ownNamespace } = head;
  if (uid === "") return null;
  const name = ownName === "" ? textAt(bytes, request.name) : ownName;
  const isNamespace = request.group === "" && request.resource === "namespaces";
  const namespace = isNamespace ? "" : ownNamespace === "" ? textAt(bytes, request.namespace) : ownNamespace;
  if (name === "" || uid.length > maxUidLength || name.length > maxNameLength || namespace.length > maxNameLength)
    return null;
  return { uid, name, namespace };
}

function readUser(
  bytes: Buffer,
  request: Request,
  claimKeys: readonly string[],
  shortened: ("user" | "claim")[],
): Pick<Correlation, "user" | "claims"> {
  const { name, extra } = readUserInfo(bytes, request.userInfo);
  if (name === null) throw reviewMalformed("a request.userInfo.username");
  const claims: Record<string, string> = {};
  // Groups and claims that nobody asks for stay bytes.
  const known: unknown = claimKeys.length === 0 || extra === null ? null : parseRange(bytes, extra);
  for (const key of claimKeys) {
    const values = member(known, key);
    const value: unknown = Array.isArray(values) ? values[0] : undefined;
    if (typeof value !== "string") continue;
    if (value.length > maxClaimLength) shortened.push("claim");
    else claims[key] = value;
  }
  if (name.length <= maxUserLength) return { user: name, claims };
  shortened.push("user");
  return { user: `${name.slice(0, maxUserLength)}... sha256:${hash("sha256", name, "base64")}`, claims };
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function readUserInfo(
  bytes: Buffer,
  range: Range | null,
): { readonly name: string | null; readonly extra: Range | null } {
  let name: string | null = null;
  let extra: Range | null = null;
  if (range === null || bytes[range.start] !== leftBrace) return { name, extra };
  const members = new JsonMembers(bytes, range.start, range.end);
  while (members.next()) {
    if (members.is("username")) name = members.valueByte() === quote ? members.text() : null;
    else if (members.is("extra")) extra = rangeOf(members);
  }
  return { name, extra };
}

function rangeOf(members: JsonMembers): Range {
  return { start: members.valueStart, end: members.skip() };
}

/** The value if it is a string; otherwise empty. */
function textAt(bytes: Buffer, range: Range | null): string {
  return range === null || bytes[range.start] !== quote ? "" : readString(bytes, range.start, range.end);
}

function parseRange(bytes: Buffer, { start, end }: Range): unknown {
  return JSON.parse(bytes.toString("utf8", start, end));
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

/** Scales are rare and small: a second reading is fine. Absent is 0 (K40). */
function replicasOf(bytes: Buffer, object: ReviewedObject | null): number {
  return object === null ? 0 : (readObjectHead(bytes, object.start, object.end).replicas ?? 0);
}

/** In a review of an update both bear the old resourceVersion (K8). */
function sameBytes(bytes: Buffer, a: Range, b: Range): boolean {
  return a.end - a.start === b.end - b.start && bytes.compare(bytes, a.start, a.end, b.start, b.end) === 0;
}

function hashOf(bytes: Buffer, head: ReviewedObject | null): ObjectHash | "" {
  return head === null ? "" : objectHash(bytes, head);
}

function isOperation(text: string): text is Operation {
  return text === "CREATE" || text === "UPDATE" || text === "DELETE";
}

function reviewMalformed(expected: string): KubescribeError {
  return new KubescribeError(
    "review-malformed",
    `The request is no admission review: expected ${expected}. Only the API server should call this address.`,
    { retry: "never" },
  );
}
