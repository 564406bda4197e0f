/** Trees and packs against what stock git and zlib make of them. */

import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { objectIdOf, packObject } from "../../src/git/object.ts";
import { applyDelta, decodeEntryHeader } from "../../src/git/pack-entry.ts";
import { encodePackIndex, PackBuilder } from "../../src/git/pack.ts";
import { PackIndex } from "../../src/git/pack-index.ts";
import { TreeCache } from "../../src/git/tree-cache.ts";
import { check, suite } from "./check.ts";

suite("objects of Git", () => {
  test("a pack entry says its size and holds its body", () => {
    const size = fc.oneof(fc.nat(40), fc.constantFrom(15, 16, 2047, 2048, 4096, 4097, 262_143, 262_144));
    check(
      fc.property(size, fc.constantFrom("commit", "tree", "blob"), (length, type) => {
        const body = Buffer.alloc(length, "kubescribe ");
        const { entry, id } = packObject(type, body);
        const header = decodeEntryHeader(entry, 12);
        expect(header).toMatchObject({ type, base: { kind: "none" } });
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
        const index = new PackIndex(encodePackIndex(entries, Buffer.alloc(20)), offset + 20);
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

  const part = fc.constantFrom("a", "a-b", "a.b", "a0", "b", "z");
  const step = fc.record({ directories: fc.array(part, { maxLength: 3 }), file: part, content: fc.option(fc.nat(3)) });

  test("a tree that was changed step by step is the tree that is made at once", async () => {
    await check(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(10), async (steps, reloadEvery) => {
        const objects = new Map<string, Buffer>();
        const sink = {
          add: (_type: string, body: Uint8Array): Buffer => {
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
