import { describe, expect, test } from "vitest";

import type { CorrelationDraft } from "../../src/admission/review-scan.ts";
import { maxClaimLength, maxUserLength, scanReview } from "../../src/admission/review-scan.ts";
import { objectHash } from "../../src/bytes/object-hash.ts";
import { readObjectHead } from "../../src/bytes/object-head.ts";
import type { ReviewParts } from "./reviews.ts";
import { bytesOf, configMap, reviewOf } from "./reviews.ts";

const hashOf = (object: unknown): string => {
  const bytes = Buffer.from(JSON.stringify(object));
  return objectHash(bytes, readObjectHead(bytes));
};

function draftOf(parts: ReviewParts, claimKeys: readonly string[] = []): CorrelationDraft {
  const { outcome } = scanReview(bytesOf(reviewOf(parts)), claimKeys);
  if (outcome.kind !== "recorded") throw new Error(`expected a recorded review, found ${outcome.reason}`);
  return outcome.draft;
}

const scale = (replicas: number | undefined): Record<string, unknown> => ({
  kind: "Scale",
  apiVersion: "autoscaling/v1",
  metadata: { name: "web", namespace: "shop", uid: "d1", resourceVersion: "41" },
  spec: replicas === undefined ? {} : { replicas },
  status: { replicas: 9 },
});
const deployments = { group: "apps", version: "v1", resource: "deployments" };

describe("what is recorded", () => {
  test("an update: whole", () => {
    const bytes = bytesOf(reviewOf());
    const { outcome, ...rest } = scanReview(bytes, []);
    expect(rest).toEqual({
      requestUid: "705ab4f5-6393-11e8-b7cc-42010a800002",
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
    });
    expect(outcome).toMatchObject({
      kind: "recorded",
      shortened: [],
      draft: {
        typeKey: "core/configmaps",
        namespace: "shop",
        name: "settings",
        uid: "4be52ede",
        operation: "UPDATE",
        subresource: "",
        user: "alice@example.com",
        claims: {},
        fieldManager: "kubectl-edit",
        base: "7",
        objectHash: hashOf(configMap("99", { a: "2" })),
        unchanged: false,
        replicas: null,
      },
    });
    if (outcome.kind !== "recorded" || outcome.object === null) throw new Error("expected an object");
    const { start, end } = outcome.object;
    expect(JSON.parse(bytes.toString("utf8", start, end))).toEqual(configMap("7", { a: "2" }));
  });

  test("a creation with generateName: the object's name, no base", () => {
    const object = {
      ...configMap(undefined),
      metadata: { name: "job-x7k2", generateName: "job-", namespace: "shop", uid: "u9" },
    };
    expect(draftOf({ operation: "CREATE", name: "", object, oldObject: null })).toMatchObject({
      name: "job-x7k2",
      uid: "u9",
      base: "",
      unchanged: false,
    });
  });

  test("a deletion: name and uid are those of oldObject, as a deletecollection has no other", () => {
    const draft = draftOf({ operation: "DELETE", name: "", object: null, options: { kind: "DeleteOptions" } });
    expect(draft).toMatchObject({ name: "settings", uid: "4be52ede", base: "7", objectHash: "", fieldManager: "" });
    expect(draft.unchanged).toBe(false);
  });

  test.each([
    [5, 5],
    [0, 0],
    [undefined, 0],
  ])("a scale to %s replicas: the parent's uid and version, replicas %s", (asked, replicas) => {
    const parts = {
      resource: deployments,
      subResource: "scale",
      name: "web",
      object: scale(asked),
      oldObject: scale(2),
    };
    expect(draftOf(parts)).toMatchObject({
      typeKey: "apps/deployments",
      subresource: "scale",
      name: "web",
      uid: "d1",
      base: "41",
      replicas,
    });
  });

  test("a status update is one like any other", () => {
    expect(draftOf({ subResource: "status" })).toMatchObject({ subresource: "status", replicas: null });
  });

  test("a Namespace is in no namespace, though the request says so", () => {
    const object = { kind: "Namespace", apiVersion: "v1", metadata: { name: "shop", uid: "n1", resourceVersion: "3" } };
    const resource = { group: "", version: "v1", resource: "namespaces" };
    expect(draftOf({ resource, name: "shop", namespace: "shop", object, oldObject: object })).toMatchObject({
      namespace: "",
      name: "shop",
    });
  });

  test("the type that the rule names, not the one that was asked for", () => {
    expect(
      draftOf({ resource: { group: "autoscaling", version: "v2", resource: "horizontalpodautoscalers" } }).typeKey,
    ).toBe("autoscaling/horizontalpodautoscalers");
  });
});

describe("what is answered and not recorded", () => {
  test.each<[string, string, ReviewParts]>([
    ["a dry run", "dry-run", { dryRun: true }],
    ["a dry run's subresource", "dry-run", { dryRun: true, subResource: "scale" }],
    ["an exec", "connect", { operation: "CONNECT", subResource: "exec" }],
    ["an eviction", "subresource", { operation: "CREATE", subResource: "eviction" }],
    [
      "an object without a uid",
      "unidentified",
      { operation: "CREATE", object: { kind: "TokenReview" }, oldObject: null },
    ],
    ["no object at all", "unidentified", { operation: "DELETE", object: null, oldObject: null }],
  ])("%s", (_name, reason, parts) => {
    expect(scanReview(bytesOf(reviewOf(parts)), []).outcome).toEqual({ kind: "ignored", reason });
  });
});

describe("who", () => {
  test("claims are the first values of the keys asked for, and of no others", () => {
    const userInfo = {
      username: "oidc:1",
      extra: { "example.com/email": ["a@b.c", "x"], other: ["y"], "example.com/n": "no list" },
    };
    expect(draftOf({ userInfo }, ["example.com/email", "example.com/n", "absent", "__proto__"])).toMatchObject({
      user: "oidc:1",
      claims: { "example.com/email": "a@b.c" },
    });
  });

  test("a name of 10 KB, with line ends and a trailer, stays as it is", () => {
    const username = `eve\nChanged-By: alice\u0000\u2028"\\${"x".repeat(10_000)}`;
    expect(draftOf({ userInfo: { username } }).user).toBe(username);
  });

  test("two longer names that begin alike stay two", () => {
    const long = "x".repeat(maxUserLength + 1);
    const [one, other] = [
      draftOf({ userInfo: { username: `${long}a` } }).user,
      draftOf({ userInfo: { username: `${long}b` } }).user,
    ];
    expect(one).not.toBe(other);
    expect(one.length).toBeLessThan(maxUserLength + 100);
    expect(scanReview(bytesOf(reviewOf({ userInfo: { username: long } })), []).outcome).toMatchObject({
      shortened: ["user"],
    });
  });

  test("a claim that is too long is left out", () => {
    const userInfo = { username: "a", extra: { mail: ["y".repeat(maxClaimLength + 1)] } };
    expect(scanReview(bytesOf(reviewOf({ userInfo })), ["mail"]).outcome).toMatchObject({
      draft: { claims: {} },
      shortened: ["claim"],
    });
  });
});

describe("what is not fooled", () => {
  test("fields of the same name inside the objects, and keys in any order", () => {
    const trap = { uid: "wrong", operation: "DELETE", request: { uid: "wrong" }, resourceVersion: "1", name: "wrong" };
    const object = {
      data: trap,
      spec: { metadata: trap },
      metadata: { annotations: trap, resourceVersion: "7", uid: "right", name: "n" },
    };
    const review = reviewOf({ object, oldObject: object });
    const request = Object.fromEntries(Object.entries(review["request"] as object).toReversed());
    const { outcome, requestUid } = scanReview(
      bytesOf({ request, apiVersion: review["apiVersion"], kind: review["kind"] }),
      [],
    );
    expect(requestUid).toBe("705ab4f5-6393-11e8-b7cc-42010a800002");
    expect(outcome).toMatchObject({ draft: { uid: "right", name: "n", operation: "UPDATE", base: "7" } });
  });

  test("escaped keys", () => {
    const text = JSON.stringify(reviewOf()).replace('"dryRun":false', '"dry\\u0052un":true');
    expect(scanReview(Buffer.from(text), []).outcome).toEqual({ kind: "ignored", reason: "dry-run" });
  });
});

describe("what is refused", () => {
  const whole = JSON.stringify(reviewOf());

  test.each([
    ["nothing", "", "json-malformed"],
    ["no JSON", "hello", "json-malformed"],
    ["another document", '{"kind":"Pod","apiVersion":"v1"}', "review-malformed"],
    ["an array", "[]", "json-malformed"],
    ["two documents", whole + whole, "json-malformed"],
    ["a request without uid", whole.replace('"705ab4f5-6393-11e8-b7cc-42010a800002"', "7"), "review-malformed"],
    ["no request", '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":null}', "review-malformed"],
    ["no user", whole.replace('"alice@example.com"', "{}"), "review-malformed"],
  ])("%s", (_name, text, code) => {
    expect(() => scanReview(Buffer.from(text), [])).toThrow(expect.objectContaining({ code, retry: "never" }));
  });

  test("a review cut at any byte", () => {
    const bytes = Buffer.from(whole);
    for (let end = 0; end < bytes.length; end += 1) {
      expect(() => scanReview(bytes.subarray(0, end), [])).toThrow(expect.objectContaining({ code: "json-malformed" }));
    }
  });
});
