import { expect, test } from "vitest";

import { completeListItem } from "../../src/bytes/list-item.ts";
import { readObjectHead } from "../../src/bytes/object-head.ts";

const type = { apiVersion: "apps/v1", kind: "Deployment" };

test.each([
  [
    "a typed item gets both",
    '{"metadata":{"uid":"u"}}',
    '{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"uid":"u"}}',
  ],
  ["a custom resource has both", '{"apiVersion":"x/v1","kind":"X","a":1}', '{"apiVersion":"x/v1","kind":"X","a":1}'],
  ["one of them may be missing", '{"kind":"X"}', '{"apiVersion":"apps/v1","kind":"X"}'],
  ["an empty object stays well-formed", "{ }", '{"kind":"Deployment","apiVersion":"apps/v1" }'],
])("%s", (_name, item, expected) => {
  const list = Buffer.from(`{"items":[${item},{}]}`);
  const bytes = completeListItem(list, readObjectHead(list, 10, list.length), type);
  expect(JSON.parse(Buffer.from(bytes).toString())).toEqual(JSON.parse(expected));
  if (!expected.startsWith('{"apiVersion":"apps')) expect(Buffer.from(bytes).toString()).toBe(expected);
  bytes.fill(0);
  expect(list.toString()).toBe(`{"items":[${item},{}]}`);
});
