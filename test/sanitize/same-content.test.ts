import { describe, expect, it } from "vitest";
import { sameContent } from "../../src/sanitize/same-content.ts";

function same(a: string, b: string, kind = "ConfigMap"): boolean {
  const there = sameContent(Buffer.from(a), Buffer.from(b), { group: "", kind });
  expect(sameContent(Buffer.from(b), Buffer.from(a), { group: "", kind })).toBe(there);
  return there;
}

describe("the same content", () => {
  const alike: readonly (readonly [string, string])[] = [
    ['{"a":1,"b":"x"}', '{ "b": "x", "a": 1 }'],
    ['{"endpoints":[]}', '{"endpoints":null}'],
    ['{"a":{}}', '{"a":[]}'],
    ['{"a":{"b":null,"c":{"d":[]}}}', "{}"],
    ['{"l":[{"a":null}]}', '{"l":[{}]}'],
    ['{"metadata":{"name":"a","resourceVersion":"1"},"status":{"a":1}}', '{"metadata":{"name":"a","generation":2}}'],
    ['{"a":"\\u0041"}', '{"a":"A"}'],
    ['{"metadata":{"managedFields":[]}}', "{}"],
    ['{"a":1,"b":2.5}', '{"b":2.5,"a":1}'],
  ];
  for (const [a, b] of alike) it(`is in ${a} and ${b}`, () => expect(same(a, b)).toBe(true));

  const unlike: readonly (readonly [string, string])[] = [
    ['{"a":0}', "{}"],
    ['{"a":""}', '{"a":null}'],
    ['{"a":false}', '{"a":[]}'],
    ['{"a":"1"}', '{"a":1}'],
    ['{"a":1}', '{"a":1.0}'],
    ['{"a":9007199254740993}', '{"a":9007199254740992}'],
    ['{"l":[null]}', '{"l":[]}'],
    ['{"l":[1,2]}', '{"l":[2,1]}'],
    ['{"l":[[]]}', '{"l":{}}'],
    ['{"a":{"b":{"c":0}}}', '{"a":null}'],
    ['{"constructor":1}', "{}"],
    [
      '{"metadata":{"name":"a","managedFields":[{"manager":"one"}]}}',
      '{"metadata":{"name":"a","managedFields":[{"manager":"two"}]}}',
    ],
    [
      '{"metadata":{"managedFields":[{"fieldsV1":{"f:spec":{"f:image":{},"f:replicas":{}}}}]}}',
      '{"metadata":{"managedFields":[{"fieldsV1":{"f:spec":{"f:image":{}}}}]}}',
    ],
    ['{"a":{"toString":{}}}', '{"a":{"toString":1}}'],
  ];
  for (const [a, b] of unlike) it(`is not in ${a} and ${b}`, () => expect(same(a, b)).toBe(false));

  it("looks at the values of Secrets", () => {
    expect(same('{"data":{"a":"QQ=="}}', '{"data":{"a":"Qg=="}}', "Secret")).toBe(false);
  });
});
