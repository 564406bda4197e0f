import { describe, expect, test } from "vitest";

import { acceptDocuments, type CustomResource } from "../../src/config/accept-documents.ts";
import { isInner } from "../../src/config/inner-host.ts";
import { withOwnRules } from "../../src/config/own-rules.ts";

function repository(namespace: string, spec: object, name = "history"): CustomResource {
  return resource("GitRepoConfig", { namespace, name }, { url: "https://git.example.com/history.git", ...spec });
}

function rule(namespace: string, repo: object): CustomResource {
  const kind = namespace === "" ? "ClusterWatchRule" : "WatchRule";
  return resource(kind, { namespace, name: "all" }, { repo, rules: [{ apiGroups: [""], resources: ["configmaps"] }] });
}

function resource(
  kind: CustomResource["kind"],
  { namespace, name }: { readonly namespace: string; readonly name: string },
  spec: object,
): CustomResource {
  const metadata = namespace === "" ? { name } : { name, namespace };
  return {
    kind,
    namespace,
    name,
    json: JSON.stringify({ apiVersion: "kubescribe.dev/v1alpha1", kind, metadata, spec }),
  };
}

/** `accepted`, or the reason and the message. */
function verdicts(resources: readonly CustomResource[], allow: readonly string[] = []): Record<string, string> {
  const acceptances = acceptDocuments(resources, allow);
  return Object.fromEntries(
    [...acceptances].map(([title, each]) => [
      title,
      each.kind === "accepted" ? "accepted" : `${each.reason}: ${each.message}`,
    ]),
  );
}

describe("custom resources", () => {
  test("that are right are accepted together", () => {
    expect(verdicts([repository("team", {}), rule("team", { name: "history" })])).toEqual({
      "GitRepoConfig team/history": "accepted",
      "WatchRule team/all": "accepted",
    });
  });

  test("that are wrong stop nobody but those who need them", () => {
    const found = verdicts([
      repository("team", { branch: ".." }),
      rule("team", { name: "history" }),
      repository("other", { url: "https://git.example.com/other.git" }),
      rule("other", { name: "history" }),
    ]);
    expect(found["GitRepoConfig team/history"]).toMatch(/^Invalid: spec\.branch: expected a branch name/);
    expect(found["WatchRule team/all"]).toMatch(
      /^Conflict: spec\.repo: expected a GitRepoConfig, found no team\/history/,
    );
    expect(found).toMatchObject({ "GitRepoConfig other/history": "accepted", "WatchRule other/all": "accepted" });
  });

  test("write to repositories of another namespace only where these name theirs", () => {
    const foreign = rule("team", { name: "history", namespace: "platform" });
    expect(verdicts([repository("platform", {}), foreign])["WatchRule team/all"]).toMatch(
      /^Forbidden: .*does not name team in spec\.allowedNamespaces/,
    );
    for (const allowedNamespaces of [["team"], ["*"]]) {
      expect(verdicts([repository("platform", { allowedNamespaces }), foreign])["WatchRule team/all"]).toBe("accepted");
    }
    const everywhere = rule("", { name: "history", namespace: "platform" });
    expect(verdicts([repository("platform", {}), everywhere])["ClusterWatchRule all"]).toBe("accepted");
  });

  test.each([
    ["a directory of the process", "file:///var/lib/kubescribe/x.git", "file:///var/lib/kubescribe/"],
    ["a Service", "https://git.team.svc/x.git", "https://git.team.svc/"],
    ["a Service by one label", "http://gitea/x.git", "http://gitea/"],
    ["an address of the cluster", "https://10.0.0.7/x.git", "https://10.0.0.7/"],
    ["a cloud's metadata", "http://169.254.169.254/x.git", "http://169.254.169.254/"],
    ["this machine", "ssh://git@localhost/x.git", "ssh://git@localhost"],
    ["this machine, short", "git@127.0.0.1:x.git", "git@127.0.0.1:"],
    ["this machine in IPv6", "https://[::1]/x.git", "https://[::1]/"],
    ["an IPv4 address in IPv6", "https://[::ffff:10.0.0.1]/x.git", "https://[::ffff:10.0.0.1]"],
  ])("name %s only where that is allowed", (_what, url, prefix) => {
    const title = "GitRepoConfig team/history";
    const refusal = verdicts([repository("team", { url })])[title] ?? "";
    expect(refusal).toMatch(/^Forbidden: spec\.url: /);
    expect(verdicts([repository("team", { url })], [prefix])[title]).toBe("accepted");
    const hint = /--allow ([^\s)]+)/.exec(refusal)?.[1] ?? "";
    expect(verdicts([repository("team", { url })], [hint])[title]).toBe("accepted");
  });

  test("are not allowed by a prefix that ends within a name", () => {
    const url = "https://git.team.svc.evil.local/x.git";
    expect(verdicts([repository("team", { url })], ["https://git.team.svc"])["GitRepoConfig team/history"]).toMatch(
      /^Forbidden/,
    );
  });

  test("read no file of the process that is not allowed", () => {
    const signing = { commit: { signing: { sshKeyFile: "/etc/kubescribe/webhook/tls.key" } } };
    const title = "GitRepoConfig team/history";
    expect(verdicts([repository("team", signing)])[title]).toMatch(/^Forbidden: spec\.commit\.signing: /);
    expect(verdicts([repository("team", signing)], ["/etc/kubescribe/"])[title]).toBe("accepted");
  });

  test("that write the same files are refused where the second begins, and the first goes on", () => {
    const found = verdicts([repository("a", {}), repository("b", {})]);
    expect(found["GitRepoConfig a/history"]).toBe("accepted");
    expect(found["GitRepoConfig b/history"]).toMatch(/^Conflict: spec\.path: /);
  });

  test("are recorded themselves: those of a namespace in its own target, all of them in one of a ClusterWatchRule", () => {
    const accepted = [
      ...acceptDocuments(
        [
          repository("a", {}),
          repository("b", { url: "https://git.example.com/b.git" }),
          rule("", { name: "history", namespace: "b" }),
        ],
        [],
      ).values(),
    ];
    const documents = accepted.flatMap((each) => (each.kind === "accepted" ? [each.document] : []));
    const own = withOwnRules(documents).filter(({ name }) => name === "kubescribe");
    expect(own).toMatchObject([
      { kind: "WatchRule", namespaces: ["a"], rules: [{ resources: ["gitrepoconfigs", "watchrules"] }] },
      {
        kind: "ClusterWatchRule",
        namespaces: null,
        rules: [{ resources: ["gitrepoconfigs", "watchrules", "clusterwatchrules"] }],
      },
    ]);
  });
});

test.each([
  ["git.example.com", false],
  ["8.8.8.8", false],
  ["172.32.0.1", false],
  ["2606:4700::1111", false],
  ["172.16.0.1", true],
  ["0.0.0.0", true],
  ["fd00::1", true],
  ["fe80::1", true],
  ["::ffff:7f00:1", true],
  ["metadata.google.internal", true],
  ["git.team.svc.cluster.local", true],
  ["git.team.svc.cluster.local.", true],
  ["x.localhost", true],
  ["2130706433", true],
  ["127.1", true],
])("%s is inside: %s", (host, inside) => {
  expect(isInner(host)).toBe(inside);
});
