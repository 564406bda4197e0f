/** A small cluster for one branch: what was written, what each watch shows of it, and what a commit worker makes of entries. */

import { expect } from "vitest";
import type { FlushEntry } from "../../actors/ports.ts";
import { unresolved } from "../../machines/branch-gap.ts";
import { covers, cursorAt, joined, versionBefore } from "../../machines/cursor.ts";
import type {
  BranchMessage,
  Change,
  Cursor,
  Operation,
  ResourceType,
  TypeKey,
  WatchEvent,
  WatchMessage,
} from "../../machines/messages.ts";
import { changeOf, cursor, event } from "../fakes/branch-world.ts";

export interface Row {
  readonly event: WatchEvent;
  /** Null: nothing to commit. */
  readonly change: Change | null;
}

/** `expire`: a lease ends, and with it every object that is there, in one revision. */
export type Act = "create-or-update" | "status" | "terminate-or-delete" | "expire";

interface Live {
  readonly uid: string;
  /** The version that made its content. */
  readonly content: number;
  readonly terminating: boolean;
}

const users = ["alice", "bob", "carol"];

/** As etcd has it: one counter for all types, so that a type's versions have holes. */
export interface Revision {
  at: number;
}

/** One type's history. */
export class History {
  readonly type: ResourceType;
  readonly rows: Row[] = [];
  /** Below it, watches are answered 410. */
  compacted = 0;
  readonly #revision: Revision;
  readonly #objects = new Map<string, Live>();
  readonly #items = new Map<string, WatchEvent>();

  constructor(type: ResourceType, revision: Revision) {
    this.type = type;
    this.#revision = revision;
  }

  /** The version that a list or a bookmark bears now. */
  get end(): number {
    return this.#revision.at;
  }

  /** The first event that whoever has come to `cursor` does not know. */
  next(cursor: Cursor): Row | undefined {
    return this.rows.find(({ event: each }) => !covers(cursor, cursorAt(each, 0)));
  }

  row({ resourceVersion, uid }: Change): Row | undefined {
    return this.rows.find(({ event: each }) => each.resourceVersion === resourceVersion && each.uid === uid);
  }

  write(act: Act, name: string): void {
    if (act === "expire") return this.#expire();
    const live = this.#objects.get(name);
    if (live === undefined && act !== "create-or-update") return;
    const version = ++this.#revision.at;
    const user = users[version % users.length] ?? "";
    if (live === undefined) {
      this.#put(name, { uid: `${name}-${version}`, content: version, terminating: false }, user, "CREATE");
    } else if (act === "status" || (live.terminating && act === "create-or-update")) {
      this.#put(name, live, user, null);
    } else if (act === "create-or-update") {
      this.#put(name, { ...live, content: version }, user, "UPDATE");
    } else if (!live.terminating && version % 2 === 0) {
      this.#put(name, { ...live, terminating: true }, user, "DELETE");
    } else {
      this.#remove(name, live, user);
    }
  }

  #expire(): void {
    if (this.#objects.size > 0) this.#revision.at += 1;
    for (const [name, live] of this.#objects) this.#remove(name, live, "lease");
  }

  #remove(name: string, live: Live, user: string): void {
    const gone = this.#event(name, live, "DELETED");
    this.#objects.delete(name);
    this.#items.delete(name);
    this.rows.push({ event: gone, change: live.terminating ? null : changeOf(gone, user, "DELETE") });
  }

  items(): readonly WatchEvent[] {
    return [...this.#items.values()];
  }

  /** What the shared watch says after `cursor`: the next event, or a bookmark; and how far it has come then. */
  message(from: Cursor): { readonly at: Cursor; readonly message: BranchMessage } {
    const row = this.next(from);
    const at = row === undefined ? cursor(this.end) : cursorAt(row.event, 0);
    if (row !== undefined && row.change !== null)
      return { at: joined(from, at), message: { kind: "changed", change: row.change } };
    return { at: joined(from, at), message: { kind: "progressed", typeKey: this.type.key, cursor: at } };
  }

  /** What the shared watch makes of a list, when the actors know all up to `known`: they say only that something differs. */
  relist(known: Cursor): BranchMessage {
    const changes: Change[] = [];
    const seen = new Map<string, Row>();
    for (const row of this.rows) if (covers(known, cursorAt(row.event, 0))) seen.set(row.event.uid, row);
    for (const [uid, { event: last }] of seen) {
      const gone = !this.items().some((item) => item.uid === uid);
      const { resourceVersion } = this.#items.get(last.name) ?? cursor(this.end);
      if (gone && last.kind !== "DELETED") changes.push(this.#difference({ ...last, resourceVersion }, "DELETE"));
    }
    for (const item of this.items()) {
      if (!covers(known, cursorAt(item, 0)))
        changes.push(this.#difference(item, item.terminating ? "DELETE" : "UPDATE"));
    }
    return { kind: "relisted", type: this.type, cursor: cursor(this.end), items: this.items(), changes };
  }

  listed(unbroken: boolean, at: Cursor = cursor(this.end)): WatchMessage {
    return { kind: "listed", type: this.type, ...at, unbroken, items: unbroken ? [] : this.items() };
  }

  #difference(item: WatchEvent, operation: Operation): Change {
    return { ...changeOf(item, "nobody", operation), verdict: unresolved() };
  }

  #put(name: string, live: Live, user: string, operation: Operation | null): void {
    this.#objects.set(name, live);
    const seen = this.#event(name, live, operation === "CREATE" ? "ADDED" : "MODIFIED");
    this.#items.set(name, { ...seen, kind: "ADDED" });
    this.rows.push({ event: seen, change: operation === null ? null : changeOf(seen, user, operation) });
  }

  #event(name: string, live: Live, kind: WatchEvent["kind"]): WatchEvent {
    const { uid, content, terminating } = live;
    const shape = event({ type: this.type, name, uid, version: this.#revision.at, kind, terminating });
    return { ...shape, bytes: new TextEncoder().encode(`${content}`.padStart(20)) };
  }
}

/** The files of one type, and the rules of honesty for every commit that changes one. */
export class Files {
  readonly #history: History;
  /** Name to the version that made the content. */
  readonly #contents = new Map<string, number>();
  /** Every change that reached a flush, in order. */
  readonly changes: Change[] = [];
  unresolved = 0;

  constructor(history: History) {
    this.#history = history;
  }

  apply(entry: FlushEntry): void {
    switch (entry.kind) {
      case "snapshot":
        this.#contents.clear();
        expect(entry.items.some(({ terminating }) => terminating)).toBe(false);
        for (const item of entry.items) this.#contents.set(item.name, contentOf(item.bytes));
        return;
      case "resync": {
        const present = new Set(entry.present.map(({ name }) => name));
        for (const name of this.#contents.keys()) if (!present.has(name)) this.#contents.delete(name);
        return;
      }
      case "format":
        throw new Error("nothing here was ever written in another format");
      case "coverage":
        throw new Error("a blind time is of no file");
      case "change":
        this.changes.push(entry.change);
        return this.#change(entry.change);
      default:
        return entry satisfies never;
    }
  }

  /** I5. */
  expectFaithful(): void {
    const wanted = new Map(
      this.#history
        .items()
        .filter(({ terminating }) => !terminating)
        .map((item) => [item.name, contentOf(item.bytes)]),
    );
    expect(this.#contents).toEqual(wanted);
  }

  #change(change: Change): void {
    const before = this.#contents.get(change.name);
    const after = change.operation === "DELETE" ? undefined : contentOf(change.bytes);
    if (before === after) return;
    if (after === undefined) this.#contents.delete(change.name);
    else this.#contents.set(change.name, after);
    if (change.verdict.tier === "unresolved") this.unresolved++;
    if (change.verdict.tier === "exact") this.#expectHonest(change, before, after);
  }

  /** I3: who is named made this very difference, whole. */
  #expectHonest(change: Change, before: number | undefined, after: number | undefined): void {
    const version = Number(change.resourceVersion);
    const row = this.#history.row(change);
    expect(row?.change?.verdict.author?.user).toBe(change.verdict.author?.user);
    expect(row?.change?.operation).toBe(change.operation);
    if (after === undefined) return;
    expect(after).toBe(version);
    const earlier = this.#history.rows.findLast(
      (past) => versionOf(past) < version && past.event.name === change.name && past.change !== null,
    );
    const gone = earlier === undefined || earlier.change?.operation === "DELETE";
    expect(before).toBe(gone ? undefined : contentOf(earlier.event.bytes));
  }
}

function versionOf(row: Row | undefined): number {
  return Number(row?.event.resourceVersion ?? 0);
}

function contentOf(bytes: Uint8Array): number {
  return Number(new TextDecoder().decode(bytes));
}

/** Where a watch begins that is to go on from `from`: what may have shared its version comes again. */
export function beginningOf(from: Cursor): Cursor {
  const { epoch, resourceVersion, uids } = from;
  return { epoch, resourceVersion: uids === undefined ? resourceVersion : versionBefore(resourceVersion) };
}

/** A watch for one type alone: a list if its start is gone, then events, then bookmarks. */
export class Replay {
  readonly typeKey: TypeKey;
  readonly #history: History;
  #at: Cursor | null;
  #said = false;

  constructor(history: History, from: Cursor | null) {
    this.typeKey = history.type.key;
    this.#history = history;
    this.#at = from === null ? null : beginningOf(from);
    if (this.#at !== null && Number(this.#at.resourceVersion) < history.compacted) this.#at = null;
  }

  next(): WatchMessage {
    const { end, type } = this.#history;
    if (this.#at === null) {
      this.#at = cursor(end);
      this.#said = true;
      return this.#history.listed(false);
    }
    if (!this.#said) {
      this.#said = true;
      return this.#history.listed(true, this.#at);
    }
    const row = this.#history.next(this.#at);
    this.#at = row === undefined ? cursor(end) : joined(this.#at, cursorAt(row.event, 0));
    if (row === undefined) return { kind: "bookmarked", type, ...cursor(end) };
    return { kind: "observed", event: row.event, epoch: 0 };
  }
}
