/** Rule documents, right and wrong: as files and as custom resources they must be judged alike. */

export interface Sample {
  readonly name: string;
  /** Of a GitRepoConfig, WatchRule or ClusterWatchRule. */
  readonly kind: "GitRepoConfig" | "WatchRule" | "ClusterWatchRule";
  readonly spec: unknown;
  /** Empty: it is right. Otherwise what a file is told, in part. */
  readonly file: string;
  /** What a custom resource is told, in part; default: as a file. */
  readonly cluster?: string;
}

const url = "https://git.example.com/a.git";
const identity = `AGE-SECRET-KEY-1${"Q".repeat(58)}`;
const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const expectedUrl = "expected file:///absolute/path/of/a/repository.git, https://HOST/PATH.git";
const expectedPath = "expected a path in the repository such as clusters/prod";
const expectedBranch = "expected a branch name such as main or clusters/prod";

function repository(name: string, rest: Readonly<Record<string, unknown>>, file = "", cluster?: string): Sample {
  return sample({ name, kind: "GitRepoConfig", spec: { url, ...rest }, file }, cluster);
}

function sample(rest: Omit<Sample, "cluster">, cluster?: string): Sample {
  return cluster === undefined ? rest : { ...rest, cluster };
}

const repo = { name: "history" };
const rules = [{ apiGroups: [""], resources: ["configmaps"] }];

function rule(name: string, rest: Readonly<Record<string, unknown>>, file = "", cluster?: string): Sample {
  return sample({ name, kind: "WatchRule", spec: { repo, rules, ...rest }, file }, cluster);
}

function ruleOf(name: string, rest: Readonly<Record<string, unknown>>, file = "", cluster?: string): Sample {
  return rule(name, { rules: [{ ...rules[0], ...rest }] }, file, cluster);
}

function clusterRule(name: string, rest: Readonly<Record<string, unknown>>, file = "", cluster?: string): Sample {
  const spec = { repo: { ...repo, namespace: "default" }, rules, ...rest };
  return sample({ name, kind: "ClusterWatchRule", spec, file }, cluster);
}

const tenants: readonly Sample[] = [
  repository("with namespaces that may name it", { allowedNamespaces: ["team-a", "team-b"] }),
  repository("with everybody", { allowedNamespaces: ["*"] }),
  repository(
    "with a wrong namespace",
    { allowedNamespaces: ["Team A"] },
    "expected namespaces whose WatchRules may name this repository",
  ),
  repository("with no namespace", { allowedNamespaces: [] }, "found an empty list", "should have at least 1 items"),
];

const urls: readonly Sample[] = [
  ...[
    ["https", "https://git.example.com/a.git"],
    ["http", "http://git.example.com/a.git"],
    ["with a user", "https://me@git.example.com:8443/a/b.git"],
    ["in capitals", "HTTPS://git.example.com/a"],
    ["ssh", "ssh://git@git.example.com:22/a.git"],
    ["scp", "git@git.example.com:a/b.git"],
    ["of a file", "file:///var/lib/kubescribe/history.git"],
    ["of a file on this host", "file://localhost/var/history.git"],
    ["a path", "/var/lib/kubescribe/history.git"],
  ].map(([name, found]) => repository(`url ${name}`, { url: found })),
  ...[
    ["empty", ""],
    ["relative", "history.git"],
    ["of another host's file", "file://elsewhere/var/history.git"],
    ["of the root as a file", "file:///"],
    ["another scheme", "ftp://git.example.com/a.git"],
    ["a path that looks like a URL", "/var/x://y"],
    ["a path with a line break", "/var/a\nb"],
    ["a file with a query", "file:///var/a.git?x=y"],
  ].map(([name, found]) => repository(`url ${name}`, { url: found }, expectedUrl)),
  repository(
    "url with a line break",
    { url: "https://git.example.com/a\n.git" },
    "found one with control characters",
    expectedUrl,
  ),
  repository("url with a backslash", { url: "https://git.example.com\\a.git" }, "found a URL with blanks", expectedUrl),
  repository("url scp with a line break", { url: "git@git.example.com:a\nb" }, expectedUrl),
  repository("url with more slashes", { url: "https:///git.example.com/a" }, "found a URL without a host", expectedUrl),
  repository("url of the root", { url: "/" }, "found the root of the file system", expectedUrl),
  repository("url without a host", { url: "https:///" }, "found a URL without a host or a path", expectedUrl),
  repository(
    "url without a path",
    { url: "https://git.example.com/" },
    "found a URL without a host or a path",
    expectedUrl,
  ),
  repository(
    "url git",
    { url: "git://git.example.com/a.git" },
    "over which nothing can be pushed safely",
    "nothing can be pushed safely",
  ),
  repository(
    "url with a password",
    { url: "https://me:pw@git.example.com/a.git" },
    "expected a URL without a password",
  ),
  repository(
    "url with a query",
    { url: "https://git.example.com/a.git?token=x" },
    "found one with a query or a fragment",
    "expected a URL without a query",
  ),
  repository("url a number", { url: 5 }, "found the number 5", "must be of type string"),
  repository("url missing", { url: undefined }, "url is missing", "spec.url: Required value"),
];

const branches: readonly Sample[] = [
  ...["main", "clusters/prod", "a", "feature_1+x=@%,.-y", "@a"].map((branch) =>
    repository(`branch ${branch}`, { branch }),
  ),
  ...[
    "",
    "refs/heads/main",
    "HEAD",
    "@",
    "a..b",
    "a//b",
    "/a",
    "a/",
    ".a",
    "a/.b",
    "-a",
    "a.",
    "a.lock",
    "a.lock/b",
    "a b",
    "a~1",
  ].map((branch) => repository(`branch "${branch}"`, { branch }, expectedBranch)),
  repository("branch of 200", { branch: "a".repeat(200) }),
  repository("branch of 201", { branch: "a".repeat(201) }, expectedBranch, "Too long"),
];

const paths: readonly Sample[] = [
  ...["", ".", "./", "clusters/prod", "clusters/prod/", "a", "a.b", "null1", "a".repeat(200)].map((path) =>
    repository(`path "${path.slice(0, 20)}", ${path.length}`, { path }),
  ),
  ...[
    "/",
    "//",
    "/a",
    "a//b",
    "..",
    "a/../b",
    "a/.",
    "a/.git",
    "a.",
    ".a",
    "nul",
    "a/COM1.txt",
    "a b",
    "a:b",
    "é",
    "a".repeat(201),
  ].map((path) => repository(`path "${path.slice(0, 20)}", ${path.length}`, { path }, expectedPath)),
];

const others: readonly Sample[] = [
  repository("a secretRef", { secretRef: { name: "git" } }),
  repository("a secretRef without a name", { secretRef: {} }, "name is missing", "spec.secretRef.name: Required value"),
  repository("a secretRef with a bad name", { secretRef: { name: "A_b" } }, "expected a Kubernetes name"),
  repository("claims", { author: { nameClaim: "example.com/name", emailClaim: "email", emailDomain: "Example.com" } }),
  repository("an empty author", { author: {} }),
  repository(
    "an empty claim",
    { author: { nameClaim: "" } },
    "expected a key of the review's userInfo.extra",
    "at least 1 chars long",
  ),
  repository("a bad domain", { author: { emailDomain: "example..com" } }, "expected a domain such as example.com"),
  repository("a committer", { commit: { committer: { name: "Kube Scribe", email: "k@example.com" } } }),
  repository(
    "a committer without e-mail",
    { commit: { committer: { name: "k" } } },
    "email is missing",
    "email: Required value",
  ),
  repository(
    "a committer's brackets",
    { commit: { committer: { name: "a <b", email: "k@x" } } },
    "expected a name without < and >",
  ),
  repository(
    "a committer's control character",
    { commit: { committer: { name: "a\u0007", email: "k@x" } } },
    "expected a name without",
  ),
  repository(
    "a committer's space",
    { commit: { committer: { name: "a", email: "k @x" } } },
    "expected an e-mail address",
  ),
  repository("a key to sign with", { commit: { signing: { sshKeyFile: "/etc/key", passphraseFile: "/etc/pass" } } }),
  repository("no key to sign with", { commit: { signing: {} } }, "sshKeyFile is missing", "sshKeyFile: Required value"),
  repository("a relative key", { commit: { signing: { sshKeyFile: "key" } } }, "expected an absolute path such as"),
  repository(
    "a batch",
    { commit: { batch: {} } },
    "not yet: each change is one commit",
    'unknown field "spec.commit.batch"',
  ),
  repository("a push", { push: { intervalSeconds: 0 } }),
  repository("an empty push", { push: {} }),
  repository("a push too rarely", { push: { intervalSeconds: 3601 } }, "from 0 to 3600", "less than or equal to 3600"),
  repository(
    "a push in halves",
    { push: { intervalSeconds: 1.5 } },
    "expected a whole number",
    "must be of type integer",
  ),
  repository("an unknown field", { branhc: "main" }, 'did you mean "branch"', 'unknown field "spec.branhc"'),
  repository("a branch that is nothing", { branch: null }),
];

const enumerated = 'supported values: "omit", "keep"';
const secrets: readonly Sample[] = [
  ...["omit", "keep", { policy: "omit" }, { policy: "keep" }, { policy: "encrypt", recipients: [recipient] }].map(
    (policy) => repository(`secrets ${JSON.stringify(policy).slice(0, 30)}`, { secrets: policy }),
  ),
  repository("secrets misspelt", { secrets: "omitt" }, 'did you mean "omit"', enumerated),
  repository("secrets empty", { secrets: "" }, "expected one of omit, encrypt, keep", "spec.secrets"),
  repository("secrets a flag", { secrets: true }, "found the boolean true", "spec.secrets"),
  repository("secrets a number", { secrets: 1 }, "found the number 1", "spec.secrets"),
  repository("secrets a list", { secrets: ["omit"] }, "found a list", "spec.secrets"),
  repository("secrets an empty map", { secrets: {} }, "policy is missing", "spec.secrets.policy: Required value"),
  repository("secrets encrypted for nobody", { secrets: "encrypt" }, "encrypt needs recipients", enumerated),
  repository(
    "secrets encrypted for none",
    { secrets: { policy: "encrypt", recipients: [] } },
    "at least one of recipients",
    "spec.secrets.recipients in body should have at least 1 items",
  ),
  repository(
    "secrets without recipients",
    { secrets: { policy: "encrypt" } },
    "encrypt needs recipients",
    "spec.secrets.recipients: Required value",
  ),
  repository(
    "secrets in vain",
    { secrets: { policy: "omit", recipients: [recipient] } },
    "only the policy encrypt has recipients",
    "spec.secrets.policy",
  ),
  repository(
    "secrets for an identity",
    { secrets: { policy: "encrypt", recipients: [identity] } },
    "which is private",
    "spec.secrets",
  ),
  repository(
    "secrets for nonsense",
    { secrets: { policy: "encrypt", recipients: ["bob"] } },
    "expected recipients of age",
    "spec.secrets.recipients[0] in body should match",
  ),
  repository("secrets with more", { secrets: { policy: "omit", more: 1 } }, "unknown field", "spec.secrets"),
];

const ruleSamples: readonly Sample[] = [
  rule("a rule", {}),
  rule("a rule with another's repository", { repo: { name: "history", namespace: "other" } }),
  rule("no repository", { repo: undefined }, "repo is missing", "spec.repo: Required value"),
  rule("a repository without a name", { repo: {} }, "name is missing", "spec.repo.name: Required value"),
  rule("a repository in no namespace", { repo: { name: "a", namespace: "A" } }, "expected a namespace's name"),
  rule("no rules", { rules: undefined }, "rules is missing", "spec.rules: Required value"),
  rule("empty rules", { rules: [] }, "expected at least one of rules", "should have at least 1 items"),
  rule(
    "namespaces",
    { namespaces: ["a"] },
    "a WatchRule watches its own namespace only",
    'unknown field "spec.namespaces"',
  ),
  ruleOf("all of it", { apiGroups: ["*"], apiVersions: ["*", "v1", "v2beta1"], resources: ["*"], operations: ["*"] }),
  ruleOf("operations", { operations: ["CREATE", "UPDATE", "DELETE", "CREATE"] }),
  ruleOf("no groups", { apiGroups: undefined }, "apiGroups is missing", "apiGroups: Required value"),
  ruleOf("empty groups", { apiGroups: [] }, "expected at least one of API groups", "should have at least 1 items"),
  ruleOf(
    "a bad group",
    { apiGroups: ["Apps"] },
    "expected API groups such as apps",
    "expected an API group such as apps",
  ),
  ruleOf("a bad version", { apiVersions: ["1.0"] }, "expected versions such as v1", "expected a version such as v1"),
  ruleOf("empty versions", { apiVersions: [] }, "expected at least one of versions", "should have at least 1 items"),
  ruleOf("no resources", { resources: undefined }, "resources is missing", "resources: Required value"),
  ruleOf("a kind", { resources: ["ConfigMap"] }, "expected a plural, lower-case resource name"),
  ruleOf("a subresource", { resources: ["deployments/scale"] }, "a subresource writes the same object"),
  ruleOf("CONNECT", { operations: ["CONNECT"] }, "CONNECT changes no object"),
  ruleOf("a small operation", { operations: ["create"] }, "expected one of CREATE, UPDATE, DELETE"),
  ruleOf("empty operations", { operations: [] }, "expected at least one of operations", "should have at least 1 items"),
  ruleOf("a scope", { scope: "Namespaced" }, "unknown field", 'unknown field "spec.rules[0].scope"'),
  clusterRule("a cluster's rule", {}),
  clusterRule("namespaces of it", { namespaces: ["a", "b-1"] }),
  clusterRule(
    "no namespaces of it",
    { namespaces: [] },
    "expected at least one of namespaces",
    "should have at least 1 items",
  ),
  clusterRule("bad namespaces of it", { namespaces: ["a.b"] }, "expected namespaces", "expected a namespace's name"),
  clusterRule(
    "a repository without a namespace",
    { repo },
    "namespace is missing",
    "spec.repo.namespace: Required value",
  ),
  clusterRule(
    "a namespaceSelector",
    { namespaceSelector: {} },
    "not yet: name the namespaces",
    'unknown field "spec.namespaceSelector"',
  ),
];

const expression = (rest: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
  selector: { matchExpressions: [{ key: "app", operator: "In", values: ["a"], ...rest }] },
});

const selectors: readonly Sample[] = [
  rule("an empty selector", { selector: {} }),
  rule("labels", { selector: { matchLabels: { app: "web", "app.kubernetes.io/name": "", a_B: "x.y" } } }),
  rule(
    "a bad key",
    { selector: { matchLabels: { "-a": "b" } } },
    "expected the key of a label",
    "expected keys of labels",
  ),
  rule(
    "a long key",
    { selector: { matchLabels: { ["a".repeat(64)]: "b" } } },
    "expected the key of a label",
    "expected keys of labels",
  ),
  rule("a bad value", { selector: { matchLabels: { a: "b c" } } }, "expected the value of a label"),
  rule(
    "a long value",
    { selector: { matchLabels: { a: "b".repeat(64) } } },
    "expected the value of a label",
    "Too long",
  ),
  rule("no expressions", { selector: { matchExpressions: [] } }),
  rule("an expression", expression({})),
  rule("an expression without values", expression({ operator: "Exists", values: undefined })),
  rule("an expression without a key", expression({ key: undefined }), "key is missing", "key: Required value"),
  rule(
    "an expression without an operator",
    expression({ operator: undefined }),
    "operator is missing",
    "operator: Required value",
  ),
  rule("an unknown operator", expression({ operator: "in" }), 'did you mean "In"', 'supported values: "In", "NotIn"'),
  rule("a bad expression's key", expression({ key: "a b" }), "expected the key of a label"),
  rule("In nothing", expression({ values: undefined }), "values is missing", "values is missing: In and NotIn"),
  rule(
    "In an empty list",
    expression({ values: [] }),
    "expected at least one of values",
    "values is missing: In and NotIn",
  ),
  rule("Exists with values", expression({ operator: "Exists" }), "takes no values", "take no values: remove them"),
  rule(
    "Exists with no values",
    expression({ operator: "DoesNotExist", values: [] }),
    "takes no values",
    "take no values",
  ),
];

export const corpus: readonly Sample[] = [
  ...urls,
  ...tenants,
  ...branches,
  ...paths,
  ...others,
  ...secrets,
  ...ruleSamples,
  ...selectors,
];

/** As JSON, which is YAML. */
export function documentOf({ kind, spec }: Sample, name = "sample"): Readonly<Record<string, unknown>> {
  const metadata = kind === "ClusterWatchRule" ? { name } : { name, namespace: "default" };
  return { apiVersion: "kubescribe.dev/v1alpha1", kind, metadata, spec };
}
