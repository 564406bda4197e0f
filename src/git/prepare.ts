/** The stateless first stage, any number of them in parallel: objects' bytes to deflated blobs. */

import type { ResourceType } from "../../machines/messages.ts";
import type { Chunk, ChunkHeader } from "./batch.ts";
import { packObject, type PackedObject } from "./object.ts";
import type { SecretOptions } from "./target.ts";

export type Labels = Readonly<Record<string, string>>;

/** From an object's raw bytes to the file that is committed; the composition root brings it. */
export type ManifestOf = (
  bytes: Uint8Array,
  options: ResourceType & { readonly secrets: SecretOptions },
) => { readonly yaml: Uint8Array; readonly labels: Labels };

/** The blobs of one chunk, to be transferred. */
export interface PreparedChunk {
  /** Pack entries, one after the other. */
  readonly entries: ArrayBuffer;
  /** 28 bytes for each: id, then length and CRC-32 of its entry, little-endian. */
  readonly table: ArrayBuffer;
  /** JSON list of labels; empty where nobody asks for them. */
  readonly labels: string;
  /** Which of them could not be read, and stand there as they came. */
  readonly faulted: readonly number[];
}

export interface PrepareOptions {
  readonly manifestOf: ManifestOf;
  readonly secrets: SecretOptions;
}

const rowBytes = 28;
const noLabels: Labels = {};

export function prepareChunk(chunk: Chunk, options: PrepareOptions): PreparedChunk {
  const { types, objects, usesLabels } = JSON.parse(chunk.header) as ChunkHeader;
  const manifestOptions = types.map((type) => ({ ...type, secrets: options.secrets }));
  const packed: PackedObject[] = [];
  const labels: Labels[] = [];
  const faulted: number[] = [];
  let at = 0;
  for (let index = 0; index < objects.length; index += 2) {
    const type = manifestOptions[objects[index] ?? 0];
    const length = objects[index + 1] ?? 0;
    if (type === undefined) throw new RangeError("a chunk names a type that it does not have");
    const bytes = new Uint8Array(chunk.bytes, at, length);
    const manifest = tried(() => options.manifestOf(bytes, type)) ?? asItStands(bytes, type);
    if (manifest.faulted === true) faulted.push(packed.length);
    packed.push(packObject("blob", manifest.yaml));
    if (usesLabels) labels.push(manifest.labels);
    at += length;
  }
  return { ...encodePacked(packed), labels: usesLabels ? JSON.stringify(labels) : "", faulted };
}

interface Manifest {
  readonly yaml: Uint8Array;
  readonly labels: Labels;
  readonly faulted?: boolean;
}

/** Null where it throws, for whatever reason: one object must not stop the line. */
function tried(make: () => Manifest): Manifest | null {
  try {
    return make();
  } catch {
    return null;
  }
}

const secretText = /"kind"\s*:\s*"Secret"/;
const secretPlaceholder =
  "# This Secret could not be read by kubescribe, and is not shown as it stands: values could be in it.\n";

/** The raw bytes (JSON is YAML), but never those of a Secret: by the type, or by its own word. Nothing is known of its labels. */
function asItStands(bytes: Uint8Array, type: ResourceType): Manifest {
  const isSecret = type.group === "" && type.kind === "Secret";
  const hidden = isSecret || secretText.test(Buffer.from(bytes).toString("utf8"));
  return { yaml: hidden ? Buffer.from(secretPlaceholder) : bytes, labels: noLabels, faulted: true };
}

function encodePacked(packed: readonly PackedObject[]): Omit<PreparedChunk, "labels" | "faulted"> {
  const entries = new Uint8Array(packed.reduce((sum, object) => sum + object.entry.length, 0));
  const table = new Uint8Array(packed.length * rowBytes);
  const view = new DataView(table.buffer);
  let at = 0;
  for (const [index, object] of packed.entries()) {
    entries.set(object.entry, at);
    at += object.entry.length;
    table.set(object.id, index * rowBytes);
    view.setUint32(index * rowBytes + 20, object.entry.length, true);
    view.setUint32(index * rowBytes + 24, object.crc, true);
  }
  return { entries: entries.buffer, table: table.buffer };
}

export interface PreparedObject extends PackedObject {
  readonly labels: Labels;
  /** Could not be read. */
  readonly faulted: boolean;
}

/** What `prepareChunk` made, in order of the items; the entries are views, not copies. */
export function decodePrepared(chunks: readonly PreparedChunk[]): readonly PreparedObject[] {
  const objects: PreparedObject[] = [];
  for (const chunk of chunks) {
    const table = Buffer.from(chunk.table);
    const labels = chunk.labels === "" ? [] : (JSON.parse(chunk.labels) as readonly Labels[]);
    const faulted = new Set(chunk.faulted);
    let at = 0;
    for (let row = 0; row < table.length; row += rowBytes) {
      const length = table.readUInt32LE(row + 20);
      objects.push({
        id: table.subarray(row, row + 20),
        entry: Buffer.from(chunk.entries, at, length),
        crc: table.readUInt32LE(row + 24),
        labels: labels[row / rowBytes] ?? noLabels,
        faulted: faulted.has(row / rowBytes),
      });
      at += length;
    }
  }
  return objects;
}
