/** Trees and packs against what stock git and zlib make of them. */

import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeLineDelta } from "../../src/git/line-delta.ts";
import { objectIdOf, packObject } from "../../src/git/object.ts";
import { applyDelta } from "../../src/git/delta.ts";
import { decodeEntryHeader, movedDelta } from "../../src/git/pack-entry.ts";
import { PackBuilder } from "../../src/git/pack.ts";
import { encodePackIndex, rowsOf } from "../../src/git/pack-index-rows.ts";
import { PackIndex } from "../../src/git/pack-index.ts";
import { TreeCache } from "../../src/git/tree-cache.ts";
import { check, suite } from "./check.ts";

/** What a reader makes of the entries of a pack, by offset. */
function bodiesOf(
  entries: readonly { readonly entry: Buffer; readonly offset: number }[],
): ReadonlyMap<number, Buffer> {
  const bodies = new Map<number, Buffer>();
  for (const { entry, offset } of entries) {
    const { base, bodyAt } = decodeEntryHeader(entry, offset);
    const body = inflateSync(entry.subarray(bodyAt));
    if (base.kind === "none") bodies.set(offset, body);
    else if (base.kind === "offset") bodies.set(offset, applyDelta(bodies.get(base.offset) ?? Buffer.alloc(0), body));
  }
  return bodies;
}

suite("objects of Git", () => {
  test("a pack entry says its size and holds its body", () => {
    const size = fc.oneof(fc.nat(40), fc.constantFrom(15, 16, 2047, 2048, 4096, 4097, 262_143, 262_144));
    check(
      fc.property(size, fc.constantFrom("commit", "tree", "blob"), (length, type) => {
        const body = Buffer.alloc(length, "kubescribe ");
        const { entry, id } = packObject(type, body);
        const header = decodeEntryHeader(entry, 12);
        expect(header).toMatchObject({ type, base: { kind: "none" }, size: length });
        expect(inflateSync(entry.subarray(header.bodyAt)).equals(body)).toBe(true);
        expect(id).toEqual(objectIdOf(type, body));
      }),
    );
  });

  test("an index finds every entry, where it begins and where it ends, beyond 2 GiB too", () => {
    const shape = fc.record({
      bodies: fc.uniqueArray(fc.string(), { maxLength: 60 }),
      shift: fc.constantFrom(12, 0x7fffff00, 2 ** 33),
    });
    check(
      fc.property(shape, ({ bodies, shift }) => {
        const builder = new PackBuilder();
        for (const body of bodies) builder.add("blob", Buffer.from(body));
        let offset = shift;
        const entries = builder.objects.map(({ id, crc, entry }) => {
          const at = offset;
          offset += entry.length;
          return { id, crc, offset: at };
        });
        const offsets = entries.map((entry) => entry.offset);
        const index = new PackIndex(encodePackIndex(rowsOf(entries, offsets), Buffer.alloc(20)), offset + 20);
        const order = index.order();
        expect([...order.starts]).toEqual(offsets);
        expect(Array.from(order.numbers, (number) => index.idAt(number))).toEqual(entries.map(({ id }) => id));
        expect(order.end).toBe(offset);
        for (const [at, { id, offset: start }] of entries.entries()) {
          expect(index.find(id)).toBe(start);
          expect(index.entryEnd(start)).toBe(entries[at + 1]?.offset ?? offset);
        }
        expect(index.find(Buffer.alloc(20, 1))).toBe(-1);
      }),
    );
  });

  test("a delta of copies and inserts gives what it says", () => {
    const base = Buffer.from("0123456789abcdef");
    const delta = Buffer.from([16, 9, 0x91, 10, 4, 2, 0x58, 0x59, 0x90, 3]);
    expect(applyDelta(base, delta).toString()).toBe("abcdXY012");
    expect(() => applyDelta(base.subarray(1), delta)).toThrow(RangeError);
  });

  test("a text is what its delta of another text's lines makes of that", () => {
    const line = fc.oneof(
      fc.constantFrom("", "a: 1", "  image: web:1.2.3", "  image: web:1.2.4", "- ", "é"),
      fc.string(),
    );
    const text = fc.tuple(fc.array(line, { maxLength: 40 }), fc.boolean());
    const bytesOf = ([lines, ended]: readonly [readonly string[], boolean]): Buffer =>
      Buffer.from(lines.join("\n") + (ended ? "\n" : ""));
    check(
      fc.property(text, text, (before, after) => {
        const [base, body] = [bytesOf(before), bytesOf(after)];
        expect(applyDelta(base, encodeLineDelta(base.toString("latin1"), body))).toEqual(body);
      }),
    );
  });

  test("one changed line of many is a delta of two copies, wherever it is", () => {
    const lines = Array.from({ length: 1000 }, (_, at) => `  setting-${at}: value`);
    const base = Buffer.from(lines.join("\n"));
    for (const at of [0, 500, 999]) {
      const body = Buffer.from(lines.with(at, "  other: 1").join("\n"));
      const delta = encodeLineDelta(base.toString("latin1"), body);
      expect(delta.length).toBeLessThan(40);
      expect(applyDelta(base, delta)).toEqual(body);
    }
  });

  const entryOf = fc.record({ name: fc.stringMatching(/^[a-z]{1,12}$/), id: fc.nat(255), gone: fc.boolean() });

  test("trees that are written again and again, as deltas or whole, say the same, in this pack and in one that it is moved to", async () => {
    const edits = fc.array(fc.array(entryOf, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 60 });
    await check(
      fc.asyncProperty(edits, fc.nat(300), fc.array(fc.nat(100_000), { minLength: 1 }), async (steps, files, gaps) => {
        const builder = new PackBuilder();
        const tree = await TreeCache.read({ readTree: () => Promise.reject(new Error("nothing to read")) }, "");
        for (let at = 0; at < files; at += 1) tree.set([], `file-${at}`, Buffer.alloc(20, at));
        for (const step of steps) {
          for (const { name, id, gone } of step)
            if (!gone || !tree.delete([], name)) tree.set([], name, Buffer.alloc(20, id));
          tree.write(builder);
        }
        let offset = 12;
        const entries = builder.objects.map(({ id, entry }) => {
          const at = offset;
          offset += entry.length;
          return { id, entry, offset: at };
        });
        const bodies = bodiesOf(entries);
        for (const { id, offset: at } of entries)
          expect(objectIdOf("tree", bodies.get(at) ?? Buffer.alloc(0))).toEqual(id);

        const moves = new Map<number, number>();
        let to = 12;
        const moved = entries.map(({ id, entry, offset: from }, at) => {
          to += gaps[at % gaps.length] ?? 0;
          const other = movedDelta(entry, { from, to, baseTo: (base) => moves.get(base) }) ?? entry;
          moves.set(from, to);
          const here = to;
          to += other.length;
          return { id, entry: other, offset: here };
        });
        const again = bodiesOf(moved);
        for (const { id, offset: at } of moved)
          expect(objectIdOf("tree", again.get(at) ?? Buffer.alloc(0))).toEqual(id);
      }),
    );
  });

  test("a tree of many names that changes in one is written as a delta, but for every 33rd", async () => {
    const builder = new PackBuilder();
    const tree = await TreeCache.read({ readTree: () => Promise.reject(new Error("nothing to read")) }, "");
    for (let at = 0; at < 3000; at += 1) tree.set([], `file-${at}`, Buffer.alloc(20, at));
    for (let at = 0; at < 100; at += 1) {
      tree.set([], "file-7", Buffer.alloc(20, at + 8));
      tree.write(builder);
    }
    const whole = builder.objects.map(({ entry }) => decodeEntryHeader(entry, 1_000_000).base.kind === "none");
    expect(whole.map((each, at) => (each ? at : -1)).filter((at) => at >= 0)).toEqual([0, 33, 66, 99]);
  });

  const part = fc.constantFrom("a", "a-b", "a.b", "a0", "b", "z");
  const step = fc.record({ directories: fc.array(part, { maxLength: 3 }), file: part, content: fc.option(fc.nat(3)) });

  test("a tree that was changed step by step is the tree that is made at once", async () => {
    await check(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(10), async (steps, reloadEvery) => {
        const objects = new Map<string, Buffer>();
        const sink = {
          addTree: (body: Buffer): Buffer => {
            const id = objectIdOf("tree", body);
            objects.set(id.toString("hex"), Buffer.from(body));
            return id;
          },
        };
        const source = {
          readTree: async (id: string): Promise<Buffer> => {
            const body = objects.get(id);
            if (body === undefined) throw new Error(`no tree ${id}`);
            return body;
          },
        };
        const wanted = new Map<string, number>();
        let tree = await TreeCache.read(source, "");
        let root = tree.write(sink);
        for (const [at, { directories, file, content }] of steps.entries()) {
          const path = [...directories, file].join("/");
          await tree.load(directories);
          if (content === null) {
            expect(tree.delete(directories, file)).toBe(wanted.delete(path));
          } else {
            // A file in the way of a directory goes, and the reverse.
            for (const known of wanted.keys())
              if (known.startsWith(`${path}/`) || path.startsWith(`${known}/`)) wanted.delete(known);
            tree.set(directories, file, Buffer.alloc(20, content + 1));
            wanted.set(path, content);
          }
          root = tree.write(sink);
          if (reloadEvery > 0 && at % reloadEvery === 0) tree = await TreeCache.read(source, root.toString("hex"));
        }
        const fresh = await TreeCache.read(source, "");
        for (const [path, content] of wanted) {
          const names = path.split("/");
          fresh.set(names.slice(0, -1), names.at(-1) ?? "", Buffer.alloc(20, content + 1));
        }
        expect(fresh.write(sink)).toEqual(root);
      }),
    );
  });
});
