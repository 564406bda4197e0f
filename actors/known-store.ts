/**
 * What was known of each resource (uid, resourceVersion, hashes), kept over a restart, so that a gap can be told apart after it
 * (DESIGN section 6). One file for each type, replaced whole; it may be old or missing: it improves verdicts, nothing depends
 * on it.
 */
import { KubescribeError } from "../machines/error.ts";
import type { ObjectHash, ResourceKey, ResourceVersion, TypeKey, Uid } from "../machines/messages.ts";

import type { FileSystem, Log } from "./ports.ts";
import type { ResourceRecord } from "./resource-record.ts";

type Line = readonly [
  key: ResourceKey,
  state: ResourceRecord["state"],
  epoch: number,
  uid: Uid,
  resourceVersion: ResourceVersion,
  objectHash: ObjectHash,
  restHash: ObjectHash,
  replicas: number | null,
];

type KnownRecords = Iterable<readonly [ResourceKey, ResourceRecord]>;

/** So many lines are put together before the event loop has its turn again. */
const linesPerWrite = 1000;

export class KnownStore {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #log: Log;

  constructor(files: FileSystem, dataDirectory: string, log: Log) {
    this.#files = files;
    this.#directory = `${dataDirectory}/known`;
    this.#log = log;
  }

  async save(typeKey: TypeKey, records: KnownRecords): Promise<void> {
    await this.#files.makeDirectory(this.#directory);
    const path = this.#pathOf(typeKey);
    const temporary = `${path}.tmp`;
    {
      await using file = await this.#files.open(temporary, "create");
      let lines: string[] = [];
      for (const [key, record] of records) {
        lines.push(`${JSON.stringify(lineOf(key, record))}\n`);
        if (lines.length < linesPerWrite) continue;
        await file.write(new TextEncoder().encode(lines.join("")));
        lines = [];
      }
      await file.write(new TextEncoder().encode(lines.join("")));
      await file.sync();
    }
    await this.#files.rename(temporary, path);
  }

  /** Empty where nothing was kept, or where it cannot be read. */
  async load(typeKey: TypeKey): Promise<readonly (readonly [ResourceKey, ResourceRecord])[]> {
    try {
      const text = new TextDecoder().decode(await this.#files.readFile(this.#pathOf(typeKey)));
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map(recordOf);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT"))
        this.#log.warn("what was known of a type before the restart cannot be read; gaps are told with less detail", {
          type: typeKey,
          reason: error instanceof Error ? error.name : "unknown",
        });
      return [];
    }
  }

  #pathOf(typeKey: TypeKey): string {
    return `${this.#directory}/${encodeURIComponent(typeKey)}.jsonl`;
  }
}

function lineOf(key: ResourceKey, record: ResourceRecord): Line {
  const { state, epoch, uid, resourceVersion, objectHash, restHash, replicas } = record;
  return [key, state, epoch, uid, resourceVersion, objectHash, restHash, replicas];
}

function recordOf(text: string): readonly [ResourceKey, ResourceRecord] {
  const line: unknown = JSON.parse(text);
  if (!isLine(line))
    throw new KubescribeError("known-malformed", "expected a line of eight fields", {
      retry: "never",
    });
  const [key, state, epoch, uid, resourceVersion, objectHash, restHash, replicas] = line;
  return [
    key,
    {
      state,
      epoch,
      uid,
      resourceVersion,
      objectHash,
      restHash,
      replicas,
      markedThrough: "",
      tie: null,
    },
  ];
}

function isLine(line: unknown): line is Line {
  if (!Array.isArray(line) || line.length !== 8) return false;
  const [key, state, epoch, ...rest] = line as readonly unknown[];
  const replicas = rest.pop();
  return (
    typeof key === "string" &&
    (state === "live" || state === "terminating") &&
    typeof epoch === "number" &&
    rest.every((field) => typeof field === "string") &&
    (replicas === null || typeof replicas === "number")
  );
}
