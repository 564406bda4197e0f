import { describe, expect, test } from "vitest";
import { checkDocuments } from "../../src/config/check-documents.ts";
import { decodeDocuments } from "../../src/config/decode-documents.ts";
import { problemLine } from "../../src/config/problem.ts";
import { clusterRule, repository, watchRule } from "./samples.ts";

const ann = "age1hnkrgj5cwt3uuh3znu73arhet5v04pvu730uwr3ctef9uvllw3yqkvc5z3";
const bob = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

function problemsOf(text: string): readonly string[] {
  const { documents, problems } = decodeDocuments(text, "rules.yaml");
  return [...problems, ...checkDocuments(documents)].map(problemLine);
}

describe("rule documents", () => {
  test("of the design are read", () => {
    const { documents, problems } = decodeDocuments(
      `${repository()}\n---\n${clusterRule()}\n---\n${watchRule()}`,
      "rules.yaml",
    );
    expect(problems).toEqual([]);
    expect(documents).toMatchObject([
      {
        kind: "GitRepoConfig",
        name: "history",
        namespace: "default",
        repository: "/var/lib/kubescribe/history.git",
        branch: "main",
        path: "clusters/prod",
        author: { nameClaim: null, emailClaim: null, emailDomain: null },
        committer: null,
        secrets: { policy: "omit" },
      },
      {
        kind: "ClusterWatchRule",
        namespace: "",
        namespaces: null,
        repo: { name: "history", namespace: "default" },
        rules: [
          {
            apiGroups: ["", "apps"],
            apiVersions: ["*"],
            resources: ["configmaps", "deployments"],
            operations: ["CREATE", "UPDATE", "DELETE"],
          },
        ],
      },
      { kind: "WatchRule", namespace: "team-a", namespaces: ["team-a"], repo: { namespace: "default" } },
    ]);
  });

  test("may be JSON, as a custom resource is", () => {
    const json = JSON.stringify({
      apiVersion: "kubescribe.dev/v1alpha1",
      kind: "GitRepoConfig",
      metadata: { name: "a", namespace: "b", uid: "1", resourceVersion: "2", managedFields: [] },
      spec: { url: "file:///srv/a.git" },
      status: {},
    });
    expect(decodeDocuments(json, "a").problems).toEqual([]);
  });

  test("are wrong in all of their places at once, a wrong name included", () => {
    const text = clusterRule("  rules: [{apiGroups: [apps], resources: [deployments/scale], operations: [WATCH]}]");
    expect(problemsOf(text.replace("workloads", "Workloads"))).toEqual([
      expect.stringContaining("metadata.name: expected a Kubernetes name"),
      expect.stringContaining("spec.rules[0].resources[0]: expected a plural"),
      expect.stringContaining("spec.rules[0].operations[0]: expected one of"),
    ]);
  });

  test.each([["https://example.com/a.git"], ["ssh://git@example.com:2222/a.git"], ["git@example.com:team/a.git"]])(
    "name a remote, and the Secret of their own namespace: %s",
    (url) => {
      const text = repository(`  url: ${url}\n  secretRef: {name: credentials}`, "");
      const { documents, problems } = decodeDocuments(text, "rules.yaml");
      expect(problems).toEqual([]);
      expect(documents).toMatchObject([
        { repository: url, remote: { url, secret: "default/credentials", pushIntervalSeconds: 1 } },
      ]);
    },
  );
  test("say what becomes of Secrets", () => {
    const secretsOf = (text: string): unknown => {
      const { documents, problems } = decodeDocuments(repository(`  secrets: ${text}`), "a");
      expect(problems).toEqual([]);
      const [document] = documents;
      return document?.kind === "GitRepoConfig" ? document.secrets : undefined;
    };
    expect(secretsOf("keep")).toEqual({ policy: "keep" });
    expect(secretsOf("{policy: omit}")).toEqual({ policy: "omit" });
    expect(secretsOf(`{policy: encrypt, recipients: [${bob}, ${ann}, ${bob}]}`)).toEqual({
      policy: "encrypt",
      recipients: [ann, bob],
    });
  });

  test("name the key that commits are signed with", () => {
    const text = repository("  commit: {signing: {sshKeyFile: /etc/k, passphraseFile: /etc/p}}");
    const signing = { sshKeyFile: "/etc/k", passphraseFile: "/etc/p" };
    expect(decodeDocuments(text, "a").documents).toMatchObject([{ signing, committer: null }]);
    const open = repository("  commit: {signing: {sshKeyFile: /etc/k}, committer: {name: a, email: a@b.c}}");
    expect(decodeDocuments(open, "a").documents).toMatchObject([
      { signing: { sshKeyFile: "/etc/k", passphraseFile: null }, committer: { name: "a", email: "a@b.c" } },
    ]);
  });

  test("with aliases are read", () => {
    const text = clusterRule(
      "  rules:\n  - {apiGroups: &g [apps], resources: [deployments]}\n  - {apiGroups: *g, resources: [daemonsets]}",
    );
    expect(decodeDocuments(text, "a").documents).toMatchObject([
      { rules: [{ apiGroups: ["apps"] }, { apiGroups: ["apps"] }] },
    ]);
  });

  test.each<readonly [string, string, string]>([
    [
      "an unknown field",
      repository("  brnch: main"),
      'rules.yaml:7:3: spec.brnch: unknown field: did you mean "branch"?',
    ],
    [
      "a number of other things",
      repository("  push: {intervalSeconds: 1.5}"),
      "spec.push.intervalSeconds: expected a whole number of seconds from 0 to 3600, found the number 1.5",
    ],
    [
      "batching",
      repository("  commit: {batchWindow: 5s}"),
      "rules.yaml:7:12: spec.commit.batchWindow: not yet: each change is one commit",
    ],
    [
      "encryption to nobody",
      repository("  secrets: encrypt"),
      "rules.yaml:7:12: spec.secrets: encrypt needs recipients: expected {policy: encrypt, recipients: [age1...]}",
    ],
    [
      "a recipient that is none",
      repository("  secrets: {policy: encrypt, recipients: [ssh-ed25519 AAAA]}"),
      "rules.yaml:7:43: spec.secrets.recipients[0]: expected recipients of age such as age1",
    ],
    [
      "an identity in the place of its recipient, which is not quoted",
      repository("  secrets: {policy: encrypt, recipients: [AGE-SECRET-KEY-1QQPQ]}"),
      "spec.secrets.recipients[0]: expected a recipient, found the identity of one, which is private: age-keygen -y",
    ],
    [
      "recipients of what is omitted",
      repository(`  secrets: {policy: omit, recipients: [${ann}]}`),
      "spec.secrets.recipients: only the policy encrypt has recipients, found omit",
    ],
    [
      "secrets without a policy",
      repository(`  secrets: {recipients: [${ann}]}`),
      "spec.secrets: policy is missing: expected one of omit, encrypt, keep",
    ],
    [
      "a misspelt policy",
      repository("  secrets: kep"),
      'spec.secrets: expected one of omit, encrypt, keep, found "kep"',
    ],
    [
      "a password in a URL",
      repository("  url: https://bob:hunter2@example.com/a.git", ""),
      "rules.yaml:6:8: spec.url: expected a URL without a password: put it into the Secret that secretRef names",
    ],
    [
      "git://",
      repository("  url: git://example.com/a.git", ""),
      "found git://, over which nothing can be pushed safely",
    ],
    ["a URL without a path", repository("  url: https://example.com", ""), "found a URL without a host or a path"],
    [
      "a query in a URL",
      repository("  url: https://example.com/a.git?x=1", ""),
      "found one with a query or a fragment",
    ],
    [
      "another namespace's Secret",
      repository("  secretRef: {name: a, namespace: b}"),
      "spec.secretRef.namespace: unknown field",
    ],
    [
      "a relative path",
      repository("  url: history.git", ""),
      "spec.url: expected file:///absolute/path/of/a/repository.git, https://HOST/PATH.git,",
    ],
    ["a host in a file URL", repository("  url: file://server/a.git", ""), "spec.url: expected file:///absolute"],
    ["no url", repository("", ""), "spec is missing"],
    [
      "a branch with a prefix",
      repository("  branch: refs/heads/main"),
      "spec.branch: expected a branch name such as main",
    ],
    ["a branch with dots", repository("  branch: a..b"), "spec.branch: expected a branch name"],
    ["a path that leaves", repository("  path: a/../b"), "spec.path: expected a path in the repository"],
    ["a path to .git", repository("  path: .GIT/hooks"), "spec.path: expected a path in the repository"],
    ["an absolute path", repository("  path: /a"), "spec.path: expected a path in the repository"],
    [
      "a number for a string",
      repository("  branch: 1.10"),
      "spec.branch: expected a branch name such as main or clusters/prod, without refs/heads/, found the number 1.1; put it in quotes",
    ],
    [
      "a committer that forges",
      repository('  commit: {committer: {name: "a <b>", email: a@b.c}}'),
      "spec.commit.committer.name: expected a name without < and >",
    ],
    [
      "a signing key of nowhere",
      repository("  commit: {signing: {passphraseFile: /p}}"),
      "rules.yaml:7:21: spec.commit.signing: sshKeyFile is missing: expected the path of a private SSH key",
    ],
    [
      "a signing key at a relative path",
      repository("  commit: {signing: {sshKeyFile: key}}"),
      'spec.commit.signing.sshKeyFile: expected an absolute path such as /etc/kubescribe/signing-key, found "key"',
    ],
    [
      "another kind",
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nspec: {}",
      'rules.yaml:1:13: apiVersion: expected kubescribe.dev/v1alpha1, found "v1"',
    ],
    [
      "a misspelt kind",
      repository().replace("GitRepoConfig", "GitRepoConfg"),
      'kind: expected one of GitRepoConfig, WatchRule, ClusterWatchRule, found "GitRepoConfg"; did you mean "GitRepoConfig"?',
    ],
    ["broken YAML", "kind: {", "rules.yaml:1:8: expected valid YAML"],
    ["a key twice", repository("  url: /b"), "expected valid YAML: Map keys must be unique"],
    ["a name in capitals", repository().replace("history", "History"), "metadata.name: expected a Kubernetes name"],
    [
      "namespaces in a WatchRule",
      watchRule("  namespaces: [b]"),
      "spec.namespaces: a WatchRule watches its own namespace only",
    ],
    [
      "a ClusterWatchRule in a namespace",
      clusterRule().replace("{name: workloads}", "{name: workloads, namespace: a}"),
      "a ClusterWatchRule has no metadata.namespace",
    ],
    [
      "a subresource",
      clusterRule("  rules: [{apiGroups: [apps], resources: [deployments/scale]}]"),
      "spec.rules[0].resources[0]: expected a plural",
    ],
    [
      "a kind for a resource",
      clusterRule("  rules: [{apiGroups: [apps], resources: [Deployments]}]"),
      'did you mean "deployments"?',
    ],
    ["no rules", clusterRule("  rules: []"), "spec.rules: expected at least one of rules"],
    [
      "CONNECT",
      clusterRule('  rules: [{apiGroups: [""], resources: [pods], operations: [CONNECT]}]'),
      "CONNECT changes no object",
    ],
    [
      "an operation in small letters",
      clusterRule('  rules: [{apiGroups: [""], resources: [pods], operations: [create]}]'),
      'did you mean "CREATE"?',
    ],
    [
      "In without values",
      clusterRule(undefined, "  selector: {matchExpressions: [{key: a, operator: In}]}"),
      "values is missing: In needs at least one",
    ],
    [
      "Exists with values",
      clusterRule(undefined, "  selector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
      "Exists takes no values",
    ],
    [
      "a label that is none",
      clusterRule(undefined, "  selector: {matchLabels: {a: b c}}"),
      "spec.selector.matchLabels.a: expected the value of a label",
    ],
    [
      "no namespaces at all",
      clusterRule(undefined, "  namespaces: []"),
      "spec.namespaces: expected at least one of namespaces (leave `namespaces` out for all)",
    ],
  ])("refuse %s", (_name, text, expected) => {
    expect(problemsOf(text).join("\n")).toContain(expected);
  });

  test("say everything that is wrong at once", () => {
    expect(problemsOf(repository("  brnch: a\n  path: ../b\n  secrets: show"))).toHaveLength(3);
  });

  test("never show the URL of a remote: it may hold a password", () => {
    expect(problemsOf(repository("  url: https://user:hunter2@example.com/a", "")).join()).not.toContain("hunter2");
  });

  test("quote what others wrote: nothing forges a line", () => {
    const [line] = problemsOf(repository('  branch: "a\\nrules.yaml:1:1: forged\\u001b[31m"'));
    expect(line).not.toMatch(/\p{Cc}/u);
  });
});

describe("rule documents together", () => {
  test("a rule needs its repository", () => {
    expect(problemsOf(`${repository().replace("history", "histroy")}\n---\n${clusterRule()}`).join()).toContain(
      "spec.repo: expected a GitRepoConfig, found no default/history: did you mean default/histroy?",
    );
  });

  test.each<readonly [string, string, boolean]>([
    ["the same path", "clusters/prod", true],
    ["a path below", "clusters/prod/a", true],
    ["a path above", "clusters", true],
    ["the root", "", true],
    ["a neighbour", "clusters/production", false],
  ])("two targets in one branch: %s", (_name, path, refused) => {
    const second = repository()
      .replace("history,", "second,")
      .replace("clusters/prod", path === "" ? '""' : path)
      .replace("file://", "");
    const problems = problemsOf(`${repository()}\n---\n${second}`);
    expect(problems.join().includes("expected paths of which neither is below the other")).toBe(refused);
  });

  test("another branch is another place", () => {
    const second = repository("  branch: other").replace("history,", "second,");
    expect(problemsOf(`${repository()}\n---\n${second}`)).toEqual([]);
  });

  test("a name is taken once", () => {
    expect(problemsOf(`${repository()}\n---\n${repository("  branch: other")}`).join()).toContain(
      "GitRepoConfig default/history is there already, at rules.yaml:",
    );
  });
});
