/** What a branch needs of the world, in memory: messages to make, a pool that can be told to fail, a meter that remembers. */

import type { CatchUp } from "../../actors/branch-options.ts";
import type { CommitPool, FileSystem, FlushEntry, FlushRequest, FlushResult, Log, Meter } from "../../actors/ports.ts";
import type { CatchUpStart } from "../../machines/branch-detachments.ts";
import type {
  BranchMessage,
  Change,
  Cursor,
  ObjectHash,
  Operation,
  ResourceType,
  ResourceVersion,
  TypeKey,
  Uid,
  Verdict,
  WatchEvent,
  WatchMessage,
} from "../../machines/messages.ts";

function typeOf(resource: string): ResourceType {
  return {
    key: `core/${resource}` as TypeKey,
    group: "",
    version: "v1",
    resource,
    kind: resource,
    namespaced: true,
    scalable: false,
  };
}

export const configmaps: ResourceType = typeOf("configmaps");
export const secrets: ResourceType = typeOf("secrets");

export function cursor(version: number, epoch = 0): Cursor {
  return { epoch, resourceVersion: String(version) as ResourceVersion };
}

export function verdictBy(user: string): Verdict {
  const author = { user, claims: {}, fieldManager: "test", subresource: "", atMs: 1 };
  return { tier: "exact", author, candidates: [], causedBy: "", faulted: false };
}

export interface EventShape {
  readonly type?: ResourceType;
  readonly name?: string;
  readonly uid?: string;
  readonly version: number;
  readonly kind?: WatchEvent["kind"];
  readonly terminating?: boolean;
  readonly sizeBytes?: number;
}

export function event(shape: EventShape): WatchEvent {
  const { type = configmaps, name = "a", uid = `uid-${name}`, version, kind = "MODIFIED", terminating = false } = shape;
  return {
    kind,
    type,
    namespace: "default",
    name,
    uid: uid as Uid,
    resourceVersion: String(version) as ResourceVersion,
    terminating,
    objectHash: "" as ObjectHash,
    restHash: "" as ObjectHash,
    replicas: 0,
    bytes: new Uint8Array(shape.sizeBytes ?? 10).fill(version % 256),
    atMs: 1_700_000_000_000,
  };
}

export function changeOf(from: WatchEvent, user: string, operation: Operation = "UPDATE", epoch = 0): Change {
  const { type, namespace, name, uid, resourceVersion, bytes, atMs } = from;
  const verdict = verdictBy(user);
  return { type, namespace, name, uid, resourceVersion, epoch, operation, verdict, bytes, observedAtMs: atMs };
}

export function changed(shape: EventShape, user = "alice", operation: Operation = "UPDATE"): BranchMessage {
  return { kind: "changed", change: changeOf(event(shape), user, operation) };
}

export function progressed(version: number, type = configmaps): BranchMessage {
  return { kind: "progressed", typeKey: type.key, cursor: cursor(version) };
}

export function relisted(
  version: number,
  items: readonly WatchEvent[],
  changes: readonly Change[] = [],
): BranchMessage {
  return { kind: "relisted", type: items[0]?.type ?? configmaps, cursor: cursor(version), items, changes };
}

/** Null: it goes on. */
export function blind(fromMs: number, toMs: number | null = fromMs + 1): BranchMessage {
  return { kind: "covered", time: { fromMs, toMs, reasons: [{ code: "test", message: "nobody looked" }] } };
}

/** `CREATE a@5 alice`, `snapshot core/configmaps@7 a b`, `resync core/configmaps@7 a b`. */
function say(entry: FlushEntry): string {
  switch (entry.kind) {
    case "change": {
      const { operation, name, resourceVersion, verdict } = entry.change;
      const candidates = verdict.candidates.map(({ user }) => user).join("|");
      return `${operation} ${name}@${resourceVersion} ${verdict.author?.user ?? verdict.tier}${candidates && ` ${candidates}`}`;
    }
    case "snapshot":
      return `snapshot ${entry.type.key}@${entry.cursor.resourceVersion} ${entry.items.map(({ name }) => name).join(" ")}`;
    case "format":
      return `format ${entry.type.key} ${entry.items.map(({ name }) => name).join(" ")}`;
    case "resync":
      return `resync ${entry.type.key}@${entry.cursor.resourceVersion} ${entry.present.map(({ name }) => name).join(" ")}`;
    case "coverage":
      return `blind ${entry.time.fromMs} ${entry.time.toMs ?? "on"}`;
    default:
      return entry satisfies never;
  }
}

/** Answers each flush when told to, in one of three ways. */
export class FakePool implements CommitPool {
  readonly requests: FlushRequest[] = [];
  readonly committed: FlushEntry[] = [];
  cursors = new Map<TypeKey, Cursor>();
  tip = "";
  /** Null: flushes wait for `finish`. */
  answer: ((request: FlushRequest) => Error | null) | null = () => null;
  #pending: { readonly request: FlushRequest; readonly settle: (error: Error | null) => void } | null = null;

  open(): Promise<{ readonly tip: string; readonly cursors: ReadonlyMap<TypeKey, Cursor> }> {
    return Promise.resolve({ tip: this.tip, cursors: new Map(this.cursors) });
  }

  flush(_targetId: string, request: FlushRequest): Promise<FlushResult> {
    if (this.#pending !== null) throw new Error("two flushes at once");
    this.requests.push(request);
    const { promise, resolve, reject } = Promise.withResolvers<FlushResult>();
    const settle = (error: Error | null): void => {
      this.#pending = null;
      if (error !== null) return reject(error);
      this.committed.push(...request.entries);
      this.cursors = new Map(request.cursors);
      this.tip = `tip-${this.committed.length}`;
      const commits = request.entries.map(() => 1);
      const ids = request.entries.map((_, at) => `commit-${this.committed.length - request.entries.length + at + 1}`);
      resolve({ tip: this.tip, commits, ...(request.wantsIds === true ? { ids } : {}) });
    };
    if (this.answer === null) this.#pending = { request, settle };
    else settle(this.answer(request));
    return promise;
  }

  get waiting(): boolean {
    return this.#pending !== null;
  }

  finish(error: Error | null = null): void {
    this.#pending?.settle(error);
  }

  get log(): readonly string[] {
    return this.committed.map(say);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A catch-up whose messages the test sends. */
export class FakeCatchUp {
  readonly starts: CatchUpStart[] = [];
  #running: {
    readonly sink: (message: WatchMessage) => void;
    readonly signal: AbortSignal;
    readonly fail: (error: Error) => void;
  } | null = null;

  readonly run: CatchUp = (start, sink, signal) => {
    this.starts.push(start);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#running = { sink, signal, fail: reject };
    signal.addEventListener("abort", () => resolve());
    return promise;
  };

  get running(): boolean {
    return this.#running !== null && !this.#running.signal.aborted;
  }

  send(...messages: readonly WatchMessage[]): void {
    for (const message of messages) if (this.running) this.#running?.sink(message);
  }

  fail(error: Error): void {
    this.#running?.fail(error);
    this.#running = null;
  }
}

export class FakeMeter implements Meter {
  readonly counts = new Map<string, number>();
  readonly gauges = new Map<string, () => number>();
  readonly records = new Map<string, number[]>();

  count(name: string, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    const values = Object.entries(labels).flatMap(([label, value]) => (label === "target" ? [] : [value]));
    const key = [name, ...values].join(" ");
    this.counts.set(key, (this.counts.get(key) ?? 0) + by);
  }

  record(name: string, value: number): void {
    this.records.set(name, [...(this.records.get(name) ?? []), value]);
  }

  gauge(name: string, read: () => number): void {
    this.gauges.set(name, read);
  }

  read(name: string): number | undefined {
    return this.gauges.get(name)?.();
  }
}

export class FakeLog implements Log {
  readonly lines: string[] = [];
  debug(): void {}
  info(): void {}
  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }
  error(message: string): void {
    this.lines.push(`error ${message}`);
  }
}

/** Whole files in memory: enough for what is written aside and renamed. */
export function memoryFiles(files: Map<string, string> = new Map<string, string>()): FileSystem {
  const missing = (path: string): Error => Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" });
  const unused = (): never => {
    throw new Error("not used here");
  };
  return {
    open: (path) => {
      files.set(path, "");
      return Promise.resolve({
        write: async (bytes) => void files.set(path, `${files.get(path) ?? ""}${new TextDecoder().decode(bytes)}`),
        read: unused,
        sync: async () => {},
        [Symbol.asyncDispose]: async () => {},
      });
    },
    readFile: async (path) => {
      const text = files.get(path);
      if (text === undefined) throw missing(path);
      return new TextEncoder().encode(text);
    },
    list: unused,
    stat: unused,
    makeDirectory: async () => {},
    rename: async (from, to) => {
      const text = files.get(from);
      if (text === undefined) throw missing(from);
      files.delete(from);
      files.set(to, text);
    },
    remove: unused,
    syncDirectory: async () => {},
  };
}
