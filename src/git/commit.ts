/** The bytes of a commit, in the format of docs/COMMITS.md. Nothing untrusted gets into it but through `lineOf`. */

import type { BlindTime } from "../../machines/blind-time.ts";
import type { Actor, Change, Cursor, ResourceType, TypeKey } from "../../machines/messages.ts";
import { coverageTextOf } from "./coverage-text.ts";
import { authorOf } from "./identity.ts";
import { encodePathPart } from "./layout.ts";
import type { Person, TargetOptions } from "./target.ts";
import { lineOf } from "./text.ts";

export interface CommitFrame {
  /** Hex. */
  readonly tree: string;
  /** Hex; empty for the first commit. */
  readonly parent: string;
  readonly committedAtMs: number;
}

/** What a commit says of a change: all of it but the object. */
export type ChangeHeader = Omit<Change, "bytes">;

export function changeCommitOf(change: ChangeHeader, frame: CommitFrame, target: TargetOptions): Buffer {
  const { verdict } = change;
  const author = verdict.author;
  return encodeCommit(frame, {
    author: author === null ? target.sentinel : authorOf(author, target),
    authoredAtMs: author?.atMs ?? change.observedAtMs,
    committer: target.committer,
    subject: subjectOf(change),
    trailers: changeTrailersOf(change, target),
  });
}

export interface NoteOptions {
  readonly kind: "snapshot" | "takeover" | "format";
  readonly subject: string;
  /** How far the commit brings each type: what a lost state ref is completed from. */
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
}

/** Says when authors were not seen: credited to kubescribe, and without files. */
export function coverageCommitOf(time: BlindTime, frame: CommitFrame, target: TargetOptions): Buffer {
  const { subject, details, trailers } = coverageTextOf(time);
  return encodeCommit(frame, {
    author: target.committer,
    authoredAtMs: time.toMs ?? time.fromMs,
    committer: target.committer,
    subject,
    details,
    trailers: [["Kubescribe-Kind", "coverage"], ...trailers, ["Kubescribe-Cluster", target.clusterUid]],
  });
}

/** A commit that is not a change: credited to kubescribe. */
export function noteCommitOf(note: NoteOptions, frame: CommitFrame, target: TargetOptions): Buffer {
  const cursors = [...note.cursors].map(([key, cursor]): Trailer => {
    return ["Kubescribe-Cursor", `${cursor.epoch} ${cursor.resourceVersion} ${key}`];
  });
  return encodeCommit(frame, {
    author: target.committer,
    authoredAtMs: frame.committedAtMs,
    committer: target.committer,
    subject: note.subject,
    trailers: [["Kubescribe-Kind", note.kind], ["Kubescribe-Cluster", target.clusterUid], ...cursors],
  });
}

type Trailer = readonly [key: string, value: string];

const verbs = { CREATE: "Create", UPDATE: "Update", DELETE: "Delete" } as const;

function subjectOf(change: ChangeHeader): string {
  const verb = change.verdict.tier === "scale" ? "Scale" : verbs[change.operation];
  const { type } = change;
  const kind = type.group === "" ? type.resource : `${type.resource}.${type.group}`;
  return `${verb} ${lineOf(kind)} ${nameOf(change)}`;
}

/** Encoded as in the path, so that a blank or a slash in a name cannot shift what follows; `:` is harmless here. */
function nameOf(change: { readonly namespace: string; readonly name: string }): string {
  const parts = change.namespace === "" ? [change.name] : [change.namespace, change.name];
  return parts.map((part) => encodePathPart(part).replaceAll("%3A", ":")).join("/");
}

function changeTrailersOf(change: ChangeHeader, target: TargetOptions): readonly Trailer[] {
  const { verdict } = change;
  const author = verdict.author;
  const trailers: Trailer[] = [
    ["Changed-By", author === null ? target.sentinel.name : author.user],
    ["Kubescribe-Resource", `${typeNameOf(change.type)} ${nameOf(change)}`],
    ["Kubescribe-Uid", change.uid],
    ["Kubescribe-Resource-Version", change.resourceVersion],
    ["Kubescribe-Operation", change.operation],
    ["Kubescribe-Attribution", verdict.tier],
  ];
  for (const user of new Set(verdict.candidates.map((candidate) => candidate.user))) {
    trailers.push(["Kubescribe-Candidate", user]);
  }
  if (fieldManagerOf(author) !== "") trailers.push(["Kubescribe-Field-Manager", fieldManagerOf(author)]);
  if (verdict.causedBy !== "") trailers.push(["Kubescribe-Caused-By", verdict.causedBy]);
  if (change.epoch > 0) trailers.push(["Kubescribe-Epoch", String(change.epoch)]);
  if (verdict.faulted) trailers.push(["Kubescribe-Faulted", "true"]);
  trailers.push(["Kubescribe-Cluster", target.clusterUid]);
  return trailers;
}

function fieldManagerOf(author: Actor | null): string {
  return author?.fieldManager ?? "";
}

function typeNameOf(type: ResourceType): string {
  return [type.group === "" ? "core" : type.group, type.version, type.resource]
    .map((part) => encodePathPart(part))
    .join("/");
}

interface CommitText {
  readonly author: Person;
  readonly authoredAtMs: number;
  readonly committer: Person;
  /** Without anything untrusted that did not go through `lineOf`. */
  readonly subject: string;
  /** One line each. */
  readonly details?: readonly string[];
  readonly trailers: readonly Trailer[];
}

function encodeCommit(frame: CommitFrame, text: CommitText): Buffer {
  const parent = frame.parent === "" ? "" : `parent ${frame.parent}\n`;
  const trailers = text.trailers.map(([key, value]) => `${key}: ${value === "" ? "-" : lineOf(value)}\n`).join("");
  const details = (text.details ?? [])
    .map((line, at, { length }) => `- ${lineOf(line)}\n${at === length - 1 ? "\n" : ""}`)
    .join("");
  return Buffer.from(
    `tree ${frame.tree}\n${parent}author ${signatureOf(text.author, text.authoredAtMs)}\n` +
      `committer ${signatureOf(text.committer, frame.committedAtMs)}\n\n${text.subject}\n\n${details}${trailers}`,
    "utf8",
  );
}

/** A commit of ours on another tree and parent: who made what, when and why stays as it is. */
export function recommitted(commit: Buffer, frame: CommitFrame): Buffer {
  const end = commit.indexOf("\n\n");
  const lines = commit.toString("latin1", 0, end).split("\n");
  const author = lines.find((line) => line.startsWith("author ")) ?? "";
  const committer = lines.find((line) => line.startsWith("committer ")) ?? "";
  const parent = frame.parent === "" ? "" : `parent ${frame.parent}\n`;
  const second = `${secondOf(frame.committedAtMs)} +0000`;
  const header = `tree ${frame.tree}\n${parent}${author}\n${committer.replace(/\d+ [+-]\d{4}$/, second)}`;
  return Buffer.concat([Buffer.from(header, "latin1"), commit.subarray(end)]);
}

/** The last second of the year 9999: later ones do not fit everywhere. */
const latestSecond = 253_402_300_799;

function signatureOf(person: Person, atMs: number): string {
  return `${lineOf(person.name)} <${lineOf(person.email)}> ${secondOf(atMs)} +0000`;
}

function secondOf(atMs: number): number {
  return Number.isFinite(atMs) ? Math.min(Math.max(0, Math.floor(atMs / 1000)), latestSecond) : 0;
}
