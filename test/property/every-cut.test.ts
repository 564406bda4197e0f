/** Reviews and watch frames as bytes that end, break and arrive anywhere, beside JSON.parse. */

import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KubescribeError } from "../../machines/error.ts";
import { BodyBudget, type BodyResult } from "../../src/admission/request-body.ts";
import { scanReview } from "../../src/admission/review-scan.ts";
import { FrameSplitter } from "../../src/kubernetes/frames.ts";
import { decodeFrame } from "../../src/kubernetes/watch-frame.ts";
import { configMaps } from "../fakes/messages.ts";
import { check, suite } from "./check.ts";
import { anyJson, choices, spell, spellingOf, trickyKey, trickyText } from "./json-documents.ts";

type Json = Readonly<Record<string, unknown>>;

const names = [
  "uid",
  "operation",
  "name",
  "namespace",
  "object",
  "oldObject",
  "userInfo",
  "dryRun",
  "resource",
  "metadata",
];
/** Members that nobody asks for, some with the names that somebody asks for elsewhere. */
const noise = fc.dictionary(
  trickyKey.filter((key) => !names.includes(key)),
  fc.oneof(anyJson, fc.dictionary(fc.constantFrom(...names), anyJson, { maxKeys: 3, noNullPrototype: true })),
  { maxKeys: 2, noNullPrototype: true },
);
const mixed = (known: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc.tuple(known, noise, fc.nat()).map(([own, others, turn]) => {
    const entries = Object.entries({ ...others, ...own });
    const at = turn % Math.max(1, entries.length);
    return Object.fromEntries([...entries.slice(at), ...entries.slice(0, at)]);
  });

const version = fc.bigInt({ min: 1n, max: 2n ** 64n }).map(String);
const text = trickyText.filter((found) => found.isWellFormed() && found !== "");
const object = mixed(
  fc.record({
    metadata: mixed(fc.record({ name: text, namespace: text, uid: text, resourceVersion: version })),
    data: fc.dictionary(trickyKey, anyJson, { maxKeys: 2, noNullPrototype: true }),
  }),
);
const review = mixed(
  fc.record({
    kind: fc.constant("AdmissionReview"),
    apiVersion: fc.constant("admission.k8s.io/v1"),
    request: mixed(
      fc.record({
        uid: text,
        operation: fc.constantFrom("CREATE", "UPDATE", "DELETE", "CONNECT"),
        resource: fc.constant({ group: "apps", version: "v1", resource: "deployments" }),
        userInfo: mixed(fc.record({ username: trickyText.filter((found) => found.isWellFormed()) })),
        dryRun: fc.constantFrom(false, false, true),
        object: fc.oneof(object, fc.constant(null)),
        oldObject: fc.oneof(object, fc.constant(null)),
      }),
    ),
  }),
);

/** What the scan says, in plain words. */
function scanned(bytes: Uint8Array): unknown {
  try {
    const { requestUid, outcome } = scanReview(bytes, []);
    if (outcome.kind === "ignored") return { requestUid, ...outcome };
    const { uid, name, namespace, operation, user, base } = outcome.draft;
    return { requestUid, uid, name, namespace, operation, user, base, object: objectAt(bytes, outcome.object) };
  } catch (error) {
    if (error instanceof KubescribeError) return error.code;
    throw error;
  }
}

/** The code of the error; null where there is none. */
function refusal(bytes: Uint8Array): string | null {
  try {
    scanReview(bytes, []);
    return null;
  } catch (error) {
    if (error instanceof KubescribeError) return error.code;
    throw error;
  }
}

function objectAt(bytes: Uint8Array, range: { readonly start: number; readonly end: number } | null): unknown {
  return range === null ? null : JSON.parse(Buffer.from(bytes.subarray(range.start, range.end)).toString());
}

function expected(document: string): unknown {
  const { request } = JSON.parse(document) as { readonly request: Json };
  const { uid: requestUid, operation, object: after, oldObject: before } = request;
  if (request["dryRun"] === true) return { requestUid, kind: "ignored", reason: "dry-run" };
  if (operation === "CONNECT") return { requestUid, kind: "ignored", reason: "connect" };
  const head = (operation === "CREATE" ? after : (before ?? after)) as { readonly metadata: Json } | null;
  if (head === null) return { requestUid, kind: "ignored", reason: "unidentified" };
  const { name, namespace, uid } = head.metadata;
  const base = operation === "CREATE" ? "" : ((before as typeof head)?.metadata["resourceVersion"] ?? "");
  const { username: user } = request["userInfo"] as Json;
  return { requestUid, uid, name, namespace, operation, user, base, object: after };
}

/** A request whose body comes in such pieces. */
async function received(pieces: readonly Uint8Array[]): Promise<Buffer> {
  const request = Object.assign(new EventEmitter(), { headers: {}, complete: true });
  const budget = new BodyBudget({ maxBodyBytes: 1 << 20, maxTotalBytes: 1 << 20 });
  const reading = new Promise<BodyResult>((resolve) => budget.read(request as unknown as IncomingMessage, resolve));
  for (const piece of pieces) request.emit("data", Buffer.from(piece));
  request.emit("end");
  const result = await reading;
  if (result.kind !== "complete") throw new Error(result.kind);
  return result.body;
}

function cutAt(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const at = [0, ...cuts, bytes.length].toSorted((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index] ?? 0, end));
}

function framesOf(pieces: readonly Buffer[]): readonly unknown[] {
  const seen: unknown[] = [];
  const splitter = new FrameSplitter((bytes, start, end) => {
    const frame = decodeFrame(bytes, { start, end }, { type: configMaps, atMs: 0 });
    if (frame.kind !== "event") throw new Error("no event");
    const { kind, uid, name, namespace, resourceVersion, bytes: own } = frame.event;
    seen.push({
      kind,
      uid,
      name,
      namespace,
      resourceVersion,
      object: JSON.parse(Buffer.from(own).toString()) as unknown,
    });
  });
  for (const piece of pieces) {
    // A socket's buffer is used again.
    const chunk = Buffer.from(piece);
    splitter.push(chunk);
    chunk.fill(0x7a);
  }
  return seen;
}

const frame = fc.record({ type: fc.constantFrom("ADDED", "MODIFIED", "DELETED"), object });
const frames = fc.tuple(fc.array(frame, { minLength: 1, maxLength: 4 }), choices);

/** Line feeds between tokens end a frame: an API server writes none. */
function watchBytes(sent: readonly Json[], picks: readonly number[]): Buffer {
  const spelling = { ...spellingOf(picks), space: () => "" };
  return Buffer.from(sent.map((one) => `${spell(one, spelling)}\n`).join(""));
}

function expectedFrames(sent: readonly { readonly type: string; readonly object: Json }[]): readonly unknown[] {
  return sent.map(({ type: kind, object: shown }) => {
    const { uid, name, namespace, resourceVersion } = shown["metadata"] as Json;
    return { kind, uid, name, namespace, resourceVersion, object: JSON.parse(JSON.stringify(shown)) as unknown };
  });
}

suite("under every cut", () => {
  test("the scan of a review says what JSON.parse says, however it is spelled", () => {
    check(
      fc.property(review, choices, (value, picks) => {
        const document = spell(value, spellingOf(picks));
        expect(scanned(Buffer.from(document))).toEqual(expected(document));
      }),
      { runs: 300 },
    );
  });

  test("a review that ends at any byte is refused", () => {
    check(
      fc.property(review, choices, (value, picks) => {
        const bytes = Buffer.from(spell(value, spellingOf(picks)).trim());
        for (let end = 0; end < bytes.length; end += 1) expect(scanned(bytes.subarray(0, end))).toBe("json-malformed");
      }),
      { runs: 15 },
    );
  });

  test("a mutilated review is not refused if JSON.parse takes it; if not, nothing worse happens than a refusal", () => {
    const insert = fc.constantFrom(...'{}[],:"\\01eE+-.tfnu \n\u0001xé'.split(""));
    check(
      fc.property(review, choices, fc.nat(), fc.nat({ max: 2 }), insert, (value, picks, where, cut, inserted) => {
        const document = spell(value, spellingOf(picks));
        const at = where % (document.length + 1);
        const mutilated = document.slice(0, at) + inserted + document.slice(at + cut);
        fc.pre(mutilated.isWellFormed());
        // In objects that are passed over, brackets and quotes are all that is looked at (skip-container.ts).
        if (parses(mutilated)) expect(scanned(Buffer.from(mutilated))).not.toBe("json-malformed");
        else expect(refusal(Buffer.from(mutilated))).toBeOneOf([null, "json-malformed", "review-malformed"]);
      }),
      { runs: 400 },
    );
  });

  test("a review that comes in pieces is the same as one that comes whole", async () => {
    await check(
      fc.asyncProperty(review, choices, fc.array(fc.nat(), { maxLength: 6 }), async (value, picks, cuts) => {
        const bytes = Buffer.from(spell(value, spellingOf(picks)));
        const everywhere = Array.from(bytes, (_, at) => at);
        const somewhere = cuts.map((at) => at % (bytes.length + 1));
        expect((await received(cutAt(bytes, everywhere))).equals(bytes)).toBe(true);
        expect(scanned(await received(cutAt(bytes, somewhere)))).toEqual(scanned(bytes));
      }),
      { runs: 50 },
    );
  });

  test("frames are the same wherever one cut falls", () => {
    check(
      fc.property(frames, ([sent, picks]) => {
        const bytes = watchBytes(sent, picks);
        const wanted = expectedFrames(sent);
        for (let at = 0; at <= bytes.length; at += 1) expect(framesOf(cutAt(bytes, [at]))).toEqual(wanted);
      }),
      { runs: 3 },
    );
  });

  test("frames are the same wherever many cuts fall, and byte for byte", () => {
    check(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 12 }), ([sent, picks], cuts) => {
        const bytes = watchBytes(sent, picks);
        const wanted = expectedFrames(sent);
        const somewhere = cuts.map((at) => at % (bytes.length + 1));
        expect(framesOf(cutAt(bytes, somewhere))).toEqual(wanted);
        expect(framesOf(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toEqual(wanted);
      }),
      { runs: 50 },
    );
  });

  test("a frame whose end did not come is none", () => {
    check(
      fc.property(frames, fc.nat(), ([sent, picks], where) => {
        const bytes = watchBytes(sent, picks);
        const end = where % bytes.length;
        const whole = bytes.subarray(0, end).filter((byte) => byte === 0x0a).length;
        expect(framesOf([bytes.subarray(0, end)])).toEqual(expectedFrames(sent).slice(0, whole));
      }),
      { runs: 50 },
    );
  });
});

function parses(document: string): boolean {
  try {
    JSON.parse(document);
    return true;
  } catch {
    return false;
  }
}
