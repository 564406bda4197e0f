import fc from "fast-check";
import { expect, test } from "vitest";

import { FrameSplitter } from "../../src/kubernetes/frames.ts";
import { ListPage } from "../../src/kubernetes/list-page.ts";
import { check } from "../property/check.ts";

/** Cuts at the given share of the bytes; each chunk is overwritten behind its use, as a socket's may be. */
function cut(text: string, cuts: readonly number[], push: (chunk: Uint8Array) => void): void {
  const bytes = Buffer.from(text);
  const at = [0, ...cuts.map((share) => Math.floor(share * (bytes.length + 1))), bytes.length].toSorted(
    (a, b) => a - b,
  );
  for (const [index, start] of at.entries()) {
    const chunk = Buffer.from(bytes.subarray(start, at[index + 1] ?? bytes.length));
    push(chunk);
    chunk.fill(0);
  }
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 12 });
/** U+2028 and the like end no frame (K28). */
const line = fc.string({
  unit: fc.constantFrom("a", '"', "{", "\\", "\u2028", "\u2029", "é", "😀", "\r"),
  minLength: 1,
  maxLength: 20,
});

test("frames are what stands between line feeds, wherever the chunks are cut", () => {
  check(
    fc.property(
      fc.array(line),
      fc.string({ maxLength: 5 }).filter((tail) => !tail.includes("\n")),
      cuts,
      (lines, tail, at) => {
        const seen: string[] = [];
        const splitter = new FrameSplitter((bytes, start, end) => seen.push(bytes.toString("utf8", start, end)));
        cut(lines.map((one) => `${one}\n`).join("") + tail, at, (chunk) => splitter.push(chunk));
        expect(seen).toEqual(lines);
      },
    ),
  );
});

test("empty lines are no frames", () => {
  const seen: string[] = [];
  new FrameSplitter((bytes, start, end) => seen.push(bytes.toString("utf8", start, end))).push(
    Buffer.from("\n\na\n\n"),
  );
  expect(seen).toEqual(["a"]);
});

test.each([
  ["in one chunk", [11]],
  ["in several", [6, 5]],
])("a frame beyond the limit is refused, %s", (_, sizes) => {
  const splitter = new FrameSplitter(() => undefined, 10);
  expect(() => {
    for (const size of sizes) splitter.push(Buffer.alloc(size, "x"));
    splitter.push(Buffer.from("\n"));
  }).toThrow("more than 10 bytes");
});

const item = fc.record({ kind: fc.constant("Widget"), data: fc.jsonValue({ maxDepth: 3 }) });
const spaces = fc.constantFrom(0, 1, 2);

test("the items of a page come whole and in order, wherever the chunks are cut and its keys stand", () => {
  check(
    fc.property(fc.array(item, { maxLength: 6 }), fc.boolean(), spaces, cuts, (items, itemsFirst, indent, at) => {
      const metadata = { resourceVersion: "9007199254740993", continue: 'items":[{' };
      const around = { kind: "WidgetList", annotations: { items: [{ no: "item" }] } };
      const page = itemsFirst ? { items, ...around, metadata } : { ...around, metadata, items };
      const seen: unknown[] = [];
      const list = new ListPage((bytes, start, end) => seen.push(JSON.parse(bytes.toString("utf8", start, end))));
      cut(JSON.stringify(page, null, indent), at, (chunk) => list.push(chunk));
      expect(seen).toEqual(JSON.parse(JSON.stringify(items)));
      expect(list.finish()).toEqual({ ...page, items: [] });
    }),
  );
});

test("a page that is cut off is never a complete one", () => {
  const text = JSON.stringify({ items: [{ a: "}]}" }, { b: [1] }], metadata: { resourceVersion: "1" } });
  for (let length = 0; length < text.length; length += 1) {
    const list = new ListPage(() => undefined);
    list.push(Buffer.from(text.slice(0, length)));
    expect(() => list.finish()).toThrow("cannot be read");
  }
});

test("an item, and what is around the items, is bounded", () => {
  const long = new ListPage(() => undefined, 20);
  expect(() => long.push(Buffer.from(`{"items":[{"a":"${"x".repeat(30)}"}]}`))).toThrow("at most 20 bytes");
  const slow = new ListPage(() => undefined, 20);
  slow.push(Buffer.from('{"items":[{"a":"'));
  expect(() => slow.push(Buffer.from("x".repeat(30)))).toThrow("at most 20 bytes");
});
