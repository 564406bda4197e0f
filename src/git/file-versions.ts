/**
 * The last version of each resource's file, while packs are joined: the next one becomes a delta of it. A flush stores files whole, as deltas
 * cost time that its commits would wait for.
 *
 * Owns the last versions, within `budgetBytes`; what was not used for longest begins again with a whole file.
 * 1. Which resource a file is of only says what is compared: a wrong one costs room, and nothing else.
 */

import { inflateSync } from "node:zlib";
import { applyDelta, shortestDeltaBytes } from "./delta.ts";
import { encodeLineDelta } from "./line-delta.ts";
import { deflateBody, deltaEntryOf } from "./object.ts";
import { decodeEntryHeader } from "./pack-entry.ts";

interface Version {
  /** As latin1: small buffers are parts of larger ones, and would keep all of those in memory. */
  readonly text: string;
  /** Of its entry in the new pack. */
  readonly offset: number;
  /** Deltas to apply to read it. */
  readonly depth: number;
}

const budgetBytes = 64 << 20;
/** More than an object of the API server has. */
const versionLimitBytes = 4 << 20;
/** As for trees; what was joined before may follow with as many of its own. */
const deltaDepth = 32;

export class FileVersions {
  readonly #latest = new Map<string, Version>();
  #bytes = 0;

  /** What is to stand at `offset` of the new pack for a version whose entry came: a delta where that is shorter. */
  next(resource: string, entry: Buffer, offset: number): Buffer {
    const { base, size, bodyAt } = decodeEntryHeader(entry, offset);
    const last = this.#take(resource);
    if (size > versionLimitBytes || base.kind === "id") return entry;
    const content = inflateSync(entry.subarray(bodyAt), { chunkSize: Math.max(64, size), maxOutputLength: size });
    if (base.kind === "offset") {
      const isNext = last?.offset === base.offset;
      if (isNext) {
        const body = applyDelta(Buffer.from(last.text, "latin1"), content);
        this.#keep(resource, { text: body.toString("latin1"), offset, depth: last.depth + 1 });
      }
      return entry;
    }
    const delta = last === null || last.depth >= deltaDepth ? null : encodeLineDelta(last.text, content);
    if (last !== null && delta !== null && delta.length >= shortestDeltaBytes && delta.length < size) {
      const distance = offset - last.offset;
      const shorter = deltaEntryOf(deflateBody(delta), { size: delta.length, distance });
      if (shorter.length < entry.length) {
        this.#keep(resource, { text: content.toString("latin1"), offset, depth: last.depth + 1 });
        return shorter;
      }
    }
    this.#keep(resource, { text: content.toString("latin1"), offset, depth: 0 });
    return entry;
  }

  #take(resource: string): Version | null {
    const last = this.#latest.get(resource) ?? null;
    if (last !== null) this.#bytes -= last.text.length;
    this.#latest.delete(resource);
    return last;
  }

  #keep(resource: string, version: Version): void {
    this.#latest.set(resource, version);
    this.#bytes += version.text.length;
    for (const [oldest, { text }] of this.#latest) {
      if (this.#bytes <= budgetBytes) break;
      this.#latest.delete(oldest);
      this.#bytes -= text.length;
    }
  }
}

/** Of a commit's entry: which resource it changed; empty: none, or several. */
export function resourceOfCommit(entry: Buffer): string {
  const { type, size, bodyAt } = decodeEntryHeader(entry, 0);
  if (type !== "commit" || size > versionLimitBytes) return "";
  const text = inflateSync(entry.subarray(bodyAt), { chunkSize: Math.max(64, size), maxOutputLength: size });
  return /^Kubescribe-Resource: (.+)$/m.exec(text.toString("latin1"))?.[1] ?? "";
}
