/**
 * What programs did to files and to names, and what a loss of power may leave of it: the promises of POSIX and no more, among which those
 * of ext4, XFS and btrfs are.
 *
 * Owns the operations that no sync has covered, oldest first.
 * 1. A write, or the emptying of a file, is on the disk once that file was synced; a name that was made, moved or removed once its
 *    directory was. Each needs its own sync: contents do not bring their name along, nor names their contents, nor a directory its own
 *    name.
 * 2. Until then they arrive in any order, and the power may go after any of them. So every subset may have arrived; in which order it did
 *    says nothing more. Two that concern the same name, or the same bytes, are no exception: a page has only its newest state to write.
 * 3. A rename arrives whole, its old name gone and its new one there: nobody finds neither, or both.
 * 4. A write may have arrived up to its middle. Where a later one arrived and an earlier one did not, there are zeros.
 * 5. Older ones than `openLimit` have arrived: a kernel writes them back after half a minute.
 * Not played: bytes of other files in a block that was never written, which ext4 shows with data=writeback.
 */

import type { Random } from "../../actors/ports.ts";
import type { Content, DirectoryNode, FileNode } from "./file-node.ts";

interface Naming {
  readonly directory: DirectoryNode;
  readonly name: string;
  /** Null: removed. */
  readonly node: FileNode | null;
}

export type Operation =
  | { readonly kind: "named"; readonly names: readonly Naming[] }
  /** `bytes` null: emptied. */
  | { readonly kind: "written"; readonly content: Content; readonly at: number; readonly bytes: Buffer | null };

export interface Arrival {
  /** In the order in which the operations came. */
  readonly at: number;
  /** From 0 to 1: of a write, what arrived of it. */
  readonly part: number;
}

const openLimit = 64;
/** Of so many, all subsets are tried: 64, and the torn writes. */
const everyOrderLimit = 6;
const seededOrders = 64;

export class Unsynced {
  #operations: Operation[] = [];

  get operations(): readonly Operation[] {
    return this.#operations;
  }

  add(operation: Operation): void {
    this.#operations.push(operation);
    if (this.#operations.length <= openLimit) return;
    const oldest = this.#operations.shift();
    if (oldest !== undefined) arrive(oldest, 1);
  }

  contentSynced(content: Content): void {
    this.#operations = this.#operations.filter((each) => each.kind !== "written" || each.content !== content);
    content.sync();
  }

  /** A rename from another directory is covered whole, and with it what was done there before. */
  directorySynced(directory: DirectoryNode): void {
    const directories = new Set([directory]);
    const covered = new Set<Operation>();
    for (const operation of this.#operations.toReversed()) {
      if (operation.kind !== "named" || !operation.names.some((each) => directories.has(each.directory))) continue;
      covered.add(operation);
      for (const each of operation.names) directories.add(each.directory);
    }
    for (const operation of this.#operations) if (covered.has(operation)) arrive(operation, 1);
    this.#operations = this.#operations.filter((each) => !covered.has(each));
  }

  /** The power goes: of what was open, these arrived. */
  lose(arrivals: readonly Arrival[]): void {
    for (const { at, part } of arrivals.toSorted((a, b) => a.at - b.at)) {
      const operation = this.#operations[at];
      if (operation !== undefined) arrive(operation, part);
    }
    this.#operations = [];
  }
}

/** The operations in an order, cut somewhere, the last one perhaps in its middle. All zeros: nothing arrived. */
export function drawArrivals(count: number, random: Random): readonly Arrival[] {
  const order = Array.from({ length: count }, (_, at) => at);
  const cut = Math.floor(random() * (count + 1));
  for (let next = 0; next < cut; next++) {
    const other = next + Math.floor(random() * (count - next));
    [order[next], order[other]] = [order[other] ?? 0, order[next] ?? 0];
  }
  const part = random();
  return order.slice(0, cut).map((at, index) => ({ at, part: index === cut - 1 && part < 0.5 ? part * 2 : 1 }));
}

/** All that may have arrived of up to six operations, or 64 draws of more, and what they all leave. */
export function* arrivalsOf(operations: readonly Operation[], random: Random): Generator<readonly Arrival[]> {
  const { length: count } = operations;
  const whole = operations.map((_, at) => ({ at, part: 1 }));
  if (count > everyOrderLimit) {
    yield [];
    yield whole;
    for (let draw = 0; draw < seededOrders; draw++) yield drawArrivals(count, random);
    return;
  }
  for (let subset = 0; subset < 1 << count; subset++) {
    const arrivals = whole.filter(({ at }) => (subset & (1 << at)) !== 0);
    yield arrivals;
    for (const { at } of arrivals) {
      if (isTorn(operations[at])) yield arrivals.map((each) => (each.at === at ? { at, part: 0.5 } : each));
    }
  }
}

function isTorn(operation: Operation | undefined): boolean {
  return operation?.kind === "written" && (operation.bytes?.length ?? 0) > 1;
}

function arrive(operation: Operation, part: number): void {
  if (operation.kind === "written") {
    const { content, at, bytes } = operation;
    return content.arrive(at, bytes?.subarray(0, Math.floor(part * bytes.length)) ?? null);
  }
  for (const { directory, name, node } of operation.names) {
    if (node === null) directory.onDisk.delete(name);
    else directory.onDisk.set(name, node);
  }
}
