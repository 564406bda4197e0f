/** Rule documents that are drawn: each field from pieces that are right in one place and wrong in another. */

import fc from "fast-check";
import type { Sample } from "./corpus.ts";

function words(...pieces: readonly string[]): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...pieces), { minLength: 0, maxLength: 6 }).map((drawn) => drawn.join(""));
}

const name = words("a", "-", ".", "A", "_", "1", "b2", "é");
const branch = words("a", "/", "..", ".", ".lock", "-", "@", "HEAD", "refs/", "~", " ", "é", "=", "main");
const path = words("a", "/", "..", ".", "-", "con", "NUL", "com1", "lpt", "9", " ", ":", "é", "@", ".git");
const labelKey = words("a", "/", ".", "-", "_", "A", "1", "é");
const urlPieces = "https:// SSH:// git:// file:// file: / host localhost @ : a.git .. . ? q # user 22 \\ %20".split(
  " ",
);
const url = words(...urlPieces, " ", "\n");
const text = fc.oneof(words("a", "<", " ", "@", "\u0007", "\u00a0", "é", "x.com"), fc.constant("x".repeat(201)));
const file = words("/", "a", "..", "\u0000");

/** Mostly few fields: a document with many of them is wrong in one or the other. */
function some(
  fields: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  return fc.oneof(
    fc.constantFrom(...Object.entries(fields)).chain(([key, value]) => value.map((drawn) => ({ [key]: drawn }))),
    fc.record(fields, { requiredKeys: [] }),
  );
}

const policy = fc.constantFrom("omit", "keep", "encrypt", "", "Omit");
const recipient = fc.constantFrom(`age1${"q".repeat(58)}`, "age1q", "");
const secrets = fc.oneof(
  policy,
  fc.record({ policy, recipients: fc.array(recipient, { maxLength: 2 }) }, { requiredKeys: [] }),
  fc.constantFrom<unknown>(true, false, 0, 1, -1, 1.5, [], ["omit"], [[]], { more: 1 }),
);

const repositorySpec = some({
  branch,
  path,
  secretRef: some({ name }),
  author: some({ nameClaim: text, emailClaim: text, emailDomain: name }),
  commit: some({
    committer: fc.record({ name: text, email: text }, { requiredKeys: ["name"] }),
    signing: some({ sshKeyFile: file, passphraseFile: file }),
  }),
  push: some({ intervalSeconds: fc.oneof(fc.integer({ min: -1, max: 3601 }), fc.constantFrom(0.5, "1")) }),
  secrets,
}).map((spec) => ({ url: "https://git.example.com/a.git", ...spec }));

const expression = fc.record(
  {
    key: labelKey,
    operator: fc.constantFrom("In", "NotIn", "Exists", "DoesNotExist", "in"),
    values: fc.array(name, { maxLength: 2 }),
  },
  { requiredKeys: ["key", "operator"] },
);

const rule = fc.record(
  {
    apiGroups: fc.array(fc.oneof(name, fc.constant("*")), { maxLength: 2 }),
    resources: fc.array(fc.oneof(name, fc.constantFrom("*", "a/b")), { maxLength: 2 }),
    apiVersions: fc.array(fc.oneof(name, fc.constantFrom("*", "v1")), { maxLength: 2 }),
    operations: fc.array(fc.constantFrom("CREATE", "UPDATE", "DELETE", "*", "CONNECT", "create"), { maxLength: 2 }),
  },
  { requiredKeys: ["apiGroups"] },
);

const ruleSpec = some({
  repo: some({ name, namespace: name }),
  rules: fc.array(rule, { maxLength: 2 }),
  namespaces: fc.array(name, { maxLength: 2 }),
  selector: some({
    matchLabels: fc.dictionary(labelKey, name, { maxKeys: 2 }),
    matchExpressions: fc.array(expression, { maxLength: 2 }),
  }),
}).map((spec) => ({
  repo: { name: "history", namespace: "default" },
  rules: [{ apiGroups: [""], resources: ["configmaps"] }],
  ...spec,
}));

function sampleOf(kind: Sample["kind"]): (spec: unknown) => Sample {
  return (spec) => ({ name: kind, kind, spec, file: "" });
}

export const drawnDocument: fc.Arbitrary<Sample> = fc.oneof(
  repositorySpec.map(sampleOf("GitRepoConfig")),
  ruleSpec.map(sampleOf("WatchRule")),
  ruleSpec.map(sampleOf("ClusterWatchRule")),
);

export const drawnUrl: fc.Arbitrary<Sample> = url.map((drawn) => sampleOf("GitRepoConfig")({ url: drawn }));
