/** Whoever changes what is written has to raise the format's number: files that are there are then written anew, by nobody. */

import { hash } from "node:crypto";
import { expect, test } from "vitest";

import { commonRules } from "../../src/sanitize/common-rules.ts";
import { kindRules } from "../../src/sanitize/kind-rules.ts";
import { manifestFormat, manifestOf } from "../../src/sanitize/manifest.ts";
import type { Rule } from "../../src/sanitize/rule.ts";
import { simulatedSecrets } from "../../src/simulation/simulated-secrets.ts";

const texts = [
  "",
  " ",
  "a",
  "yes",
  "1e3",
  "0x1",
  "a: b",
  "a\nb",
  "a\n",
  "\ta",
  "'",
  '"',
  "- a",
  "\u2028",
  "é",
  "2026-01-01",
];

test("the digest of what is written is that of the format's number", () => {
  const object = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "a", namespace: "b", uid: "c", annotations: { copy: '{"data":{}}', line: "a copied value" } },
    data: { p: "cA==", q: "", r: "YSBjb3BpZWQgdmFsdWUK" },
    texts: [...texts, { texts }, [texts], Object.fromEntries(texts.map((text) => [text, text]))],
    numbers: [0, 1, -1, 1.5, 9_007_199_254_740_991, [], {}, null, true, [[1]], [{ a: 1, b: [] }]],
  };
  const { yaml } = manifestOf(Buffer.from(JSON.stringify(object)), {
    group: "",
    kind: "Secret",
    secrets: simulatedSecrets,
  });
  const said = ({ path, keys, only }: Rule) => [path, keys ?? [], only ?? ""];
  const rules = {
    common: commonRules.map(said),
    kinds: Object.entries(kindRules).map(([kind, list]) => [kind, list.map(said)]),
  };
  const digest = hash("sha256", JSON.stringify([Buffer.from(yaml).toString(), rules]), "hex").slice(0, 16);
  // Another digest: raise manifestFormat, and put both here.
  expect([manifestFormat, digest]).toEqual([2, "42f78330f6d56f52"]);
});
