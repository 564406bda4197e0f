import { createHash } from "node:crypto";

import fc from "fast-check";
import { expect, test } from "vitest";

import { emptySpec } from "../../machines/messages.ts";
import { objectHash, restHash } from "../../src/bytes/object-hash.ts";
import { readObjectHead } from "../../src/bytes/object-head.ts";
import { ReviewedObject } from "../../src/bytes/reviewed-object.ts";
import { anyJson, choices, spell, spellingOf, trickyKey, trickyText } from "./json-documents.ts";
import { check, suite } from "./check.ts";

type Json = Record<string, unknown>;

const noise = fc.dictionary(
  fc.oneof(
    trickyKey,
    fc.constantFrom("metadata", "spec", "uid", "name", "resourceVersion", "replicas", "status", "kind"),
  ),
  fc.oneof(anyJson, fc.dictionary(fc.constantFrom("uid", "name", "resourceVersion", "replicas"), anyJson)),
  { maxKeys: 5, noNullPrototype: true },
);
const maybeString = fc.option(fc.oneof(trickyText, fc.integer()), { nil: undefined });
const metadata = fc
  .record(
    {
      name: maybeString,
      namespace: maybeString,
      uid: maybeString,
      resourceVersion: fc.oneof(fc.nat().map(String), fc.constantFrom("9007199254740993", "007", "", 7, null)),
      deletionTimestamp: fc.constantFrom(null, "2026-01-01T00:00:00Z"),
      generation: fc.nat(),
      managedFields: fc.array(noise, { maxLength: 2 }),
      labels: noise,
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.parse(JSON.stringify(value)) as Json);
const spec = fc.record(
  { replicas: fc.oneof(fc.integer(), fc.constant(null), fc.constant("3"), fc.constant(1.5)), template: noise },
  { requiredKeys: [] },
);
const object = fc
  .tuple(
    noise,
    fc.record(
      {
        apiVersion: maybeString,
        kind: maybeString,
        metadata: fc.oneof(metadata, anyJson),
        spec: fc.oneof(spec, anyJson),
        status: anyJson,
      },
      { requiredKeys: [] },
    ),
    fc.nat(),
  )
  .map(([extra, known, turn]) => {
    const entries = Object.entries(JSON.parse(JSON.stringify({ ...extra, ...known })) as Json);
    const cut = turn % (entries.length + 1);
    return Object.fromEntries([...entries.slice(cut), ...entries.slice(0, cut)]);
  });

const record = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
const text = (value: unknown): string => (typeof value === "string" ? value : "");

suite("the head of an object", () => {
  test("is the same in a review whose keys are doubled", () => {
    const whole = '{"name":"a","namespace":"b","uid":"c","resourceVersion":"1"}';
    for (const last of ["{}", "null", '{"name":1,"name":"d"}', '{"uid":"e","uid":2}', '{"resourceVersion":"x"}']) {
      const bytes = Buffer.from(`{"metadata":${whole},"metadata":${last}}`);
      const { name, namespace, uid, resourceVersion, versionStart } = new ReviewedObject(bytes, 0, bytes.length);
      expect(readObjectHead(bytes)).toMatchObject({ name, namespace, uid, resourceVersion, versionStart });
    }
  });

  test("is the same in a review", () => {
    check(
      fc.property(object, choices, (value, picks) => {
        const bytes = Buffer.from(` ${spell(value, spellingOf(picks))},"uid"`);
        const { start, end, versionStart, versionEnd, ...head } = readObjectHead(bytes, 1, bytes.length);
        const { name, namespace, uid, resourceVersion } = head;
        const reviewed = new ReviewedObject(bytes, 1, bytes.length);
        expect({
          start: reviewed.start,
          end: reviewed.end,
          versionStart: reviewed.versionStart,
          versionEnd: reviewed.versionEnd,
          name: reviewed.name,
          namespace: reviewed.namespace,
          uid: reviewed.uid,
          resourceVersion: reviewed.resourceVersion,
        }).toEqual({ start, end, versionStart, versionEnd, name, namespace, uid, resourceVersion });
      }),
    );
  });

  test("says what JSON.parse says", () => {
    check(
      fc.property(object, choices, (value, picks) => {
        const document = spell(value, spellingOf(picks));
        const bytes = Buffer.from(` ${document},"uid"`);
        const end = 1 + Buffer.byteLength(document);
        const parsed = JSON.parse(document) as Json;
        const meta = record(parsed["metadata"]);
        const version = text(meta["resourceVersion"]);
        const replicas = record(parsed["spec"])["replicas"];
        const head = readObjectHead(bytes, 1, bytes.length);
        expect({ ...head, rest: [] }).toEqual({
          start: 1,
          end,
          apiVersion: text(parsed["apiVersion"]),
          kind: text(parsed["kind"]),
          name: text(meta["name"]),
          namespace: text(meta["namespace"]),
          uid: text(meta["uid"]),
          resourceVersion: /^(0|[1-9]\d*)$/.test(version) ? version : "",
          terminating: (meta["deletionTimestamp"] ?? null) !== null,
          replicas: isPlainInteger(replicas) ? replicas : null,
          versionStart: head.versionStart,
          versionEnd: head.versionEnd,
          rest: [],
        });
        if ("resourceVersion" in meta) {
          const range = bytes.toString("utf8", head.versionStart, head.versionEnd);
          expect(JSON.parse(range)).toEqual(meta["resourceVersion"]);
        } else expect(head.versionStart).toBe(-1);
      }),
      { runs: 200 },
    );
  });

  test("of doubled keys the last one counts", () => {
    const document =
      '{"metadata":{"uid":"a","name":"x","resourceVersion":"1"},"metadata":{"\\u0075id":"b","uid":"c"},"kind":"A","kind":"B"}';
    expect(readObjectHead(Buffer.from(document))).toMatchObject({
      uid: "c",
      name: "",
      kind: "B",
      resourceVersion: "",
      versionStart: -1,
    });
  });
});

suite("objectHash", () => {
  test("is the same for every metadata.resourceVersion, and for none, and tells all else apart", () => {
    const hashOf = (value: Json): string => {
      const bytes = Buffer.from(JSON.stringify(value));
      return objectHash(bytes, readObjectHead(bytes));
    };
    check(
      fc.property(object, fc.nat(), (value, version) => {
        const { resourceVersion: _version, ...metadata } = record(value["metadata"]);
        const bare = { ...value, metadata };
        const bytes = Buffer.from(JSON.stringify(bare));
        const expected = createHash("sha256").update(bytes).digest("base64");
        const last = { ...value, metadata: { ...metadata, resourceVersion: String(version) } };
        const first = { ...value, metadata: { resourceVersion: String(version), ...metadata } };
        expect(hashOf(bare)).toBe(expected);
        expect(hashOf(last)).toBe(expected);
        expect(hashOf(first)).toBe(expected);
        const other = { ...last, metadata: { ...last.metadata, generateName: "other" } };
        expect(hashOf(other) === expected).toBe(metadata["generateName"] === "other");
      }),
    );
  });

  test("finds the member between any blanks, and with an escaped key", () => {
    const hashes = [
      '{"metadata":{"a":1,"b":2}}',
      '{"metadata":{"a":1,"resourceVersion":"7","b":2}}',
      '{"metadata":{"a":1,"resource\\u0056ersion" : "7" ,"b":2}}',
      '{"metadata":{"resourceVersion":\n"7"\t,"a":1,"b":2}}',
      '{"metadata":{"a":1,"b":2,\n\t"resourceVersion" : "7"}}',
    ].map((text) => objectHash(Buffer.from(text), readObjectHead(Buffer.from(text))));
    expect(new Set(hashes).size).toBe(1);
  });

  test("is the same for large objects, which are hashed in pieces", () => {
    const make = (version: string): Buffer =>
      Buffer.from(JSON.stringify({ metadata: { resourceVersion: version }, data: { x: "y".repeat(300_000) } }));
    const [one, other] = [make("1"), make("22")];
    expect(objectHash(one, readObjectHead(one))).toBe(objectHash(other, readObjectHead(other)));
    expect(objectHash(one, readObjectHead(one))).toBe(
      createHash("sha256").update(one.toString().replace('"resourceVersion":"1"', "")).digest("base64"),
    );
  });
});

function isPlainInteger(value: unknown): boolean {
  return typeof value === "number" && /^(?:0|-?[1-9]\d{0,14})$/.test(String(value)) && !Object.is(value, -0);
}

suite("restHash", () => {
  const hashOf = (value: unknown): string => {
    const bytes = Buffer.from(JSON.stringify(value));
    return restHash(bytes, readObjectHead(bytes));
  };
  /** What the hash must tell apart, and no more. */
  const restOf = (value: Json): string => {
    const { metadata: meta, spec: body, status: _status, ...own } = value;
    const out: Json = { own };
    if (isRecord(meta)) {
      const { resourceVersion: _version, generation: _generation, managedFields: _fields, ...kept } = meta;
      out["metadata"] = kept;
    } else if (meta !== undefined) out["metadata-value"] = meta;
    if (isRecord(body)) {
      const { replicas, ...kept } = body;
      out["spec"] = isPlainInteger(replicas) ? kept : body;
    } else if (body !== undefined) out["spec-value"] = body;
    return JSON.stringify(out);
  };
  const isRecord = (value: unknown): value is Json => record(value) === value;

  test("does not see the members left out: absent, present, first, last", () => {
    check(
      fc.property(object, metadata, spec, anyJson, (base, meta, body, status) => {
        const left = { ...base, metadata: meta, spec: { ...body, replicas: 3 }, status };
        const { resourceVersion: _v, generation: _g, managedFields: _m, ...keptMeta } = meta;
        const { replicas: _r, ...keptSpec } = body;
        const { status: _s, ...keptBase } = base;
        const right = { ...keptBase, metadata: keptMeta, spec: keptSpec };
        expect(hashOf(left)).toBe(hashOf(right));
      }),
    );
  });

  test("differs where the rest differs", () => {
    check(
      fc.property(object, object, (one, other) => {
        if (restOf(one) === restOf(other)) return;
        expect(hashOf(one)).not.toBe(hashOf(other));
      }),
    );
    expect(hashOf({ metadata: { a: 1 }, spec: { b: 1 } })).not.toBe(hashOf({ metadata: { a: 1, b: 1 } }));
    expect(hashOf({ data: { a: "1" } })).not.toBe(hashOf({ data: { a: "2" } }));
  });

  test("an empty spec is not an absent one, and replicas that are no integer are content", () => {
    expect(hashOf({ kind: "A", spec: { replicas: 3 } })).toBe(hashOf({ kind: "A", spec: {} }));
    expect(hashOf({ kind: "A", spec: {} })).not.toBe(hashOf({ kind: "A" }));
    // Where it is added, a scale may have made it.
    expect(hashOf({ kind: "A", spec: { replicas: 3 } })).toBe(`${hashOf({ kind: "A" })}${emptySpec}`);
    expect(hashOf({ spec: { replicas: null } })).not.toBe(hashOf({ spec: {} }));
    expect(hashOf({ spec: { replicas: "3" } })).not.toBe(hashOf({ spec: { replicas: 1.5 } }));
  });
});
