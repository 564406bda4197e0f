import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { inquiryOf } from "../../src/commands/cluster-inquiry.ts";
import { checkInstallation } from "../../src/commands/install-check.ts";
import { parseInstallOptions } from "../../src/commands/install-options.ts";
import { typeKeyOf } from "../../machines/messages.ts";
import type { ResourceType } from "../../machines/messages.ts";
import { manifests } from "../../src/manifests/manifest-text.ts";
import { makeGeneration } from "../../src/webhook/generation.ts";
import { FakeApi } from "../kubernetes/fake-api.ts";

const settings = { cwd: "/", version: "1.2.3" };
const { values } = parseInstallOptions([], settings);
const definitions = new Map(
  manifests({ values, file: () => null })
    .filter(({ kind }) => kind === "CustomResourceDefinition")
    .map((definition) => [(definition["metadata"] as { name: string }).name, definition]),
);
const group = "/apis/kubescribe.dev/v1alpha1";

function type(group: string, resource: string): ResourceType {
  const key = typeKeyOf(group, resource);
  return { key, group, version: "v1", resource, kind: "Kind", namespaced: true, scalable: false };
}

const repository = {
  metadata: { name: "history", namespace: "default" },
  spec: { url: "https://git.example.com/a.git", secretRef: { name: "git" } },
};
const gitSecret = "/api/v1/namespaces/default/secrets/git";
const rule = {
  metadata: { name: "all" },
  spec: {
    repo: { name: "history", namespace: "default" },
    rules: [{ apiGroups: ["apps"], resources: ["deployments"] }],
  },
};

interface Access {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
}

interface World {
  /** Bodies by path; a number is a status. */
  readonly answers?: Readonly<Record<string, unknown>>;
  readonly may?: (access: Access, user: string) => boolean | "refused";
}

const webhook = {
  name: "changes.kubescribe.dev",
  failurePolicy: "Ignore",
  timeoutSeconds: 2,
  clientConfig: { caBundle: "YQ==", service: { namespace: "kubescribe-system", name: "kubescribe" } },
  admissionReviewVersions: ["v1"],
  rules: [
    {
      apiGroups: ["apps"],
      apiVersions: ["v1"],
      resources: ["deployments", "deployments/*"],
      operations: ["CREATE", "UPDATE", "DELETE"],
      scope: "*",
    },
  ],
};

function answersOf(world: World): Readonly<Record<string, unknown>> {
  const crds = [...definitions].map(([name, definition]): readonly [string, unknown] => [
    `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`,
    { ...definition, status: { conditions: [{ type: "Established", status: "True" }] } },
  ]);
  return {
    "/version": { gitVersion: "v1.36.3", minor: "36" },
    ...Object.fromEntries(crds),
    "/apis/apps/v1/namespaces/kubescribe-system/deployments/kubescribe": {
      spec: { replicas: 1, template: { spec: { containers: [{ image: "kubescribe:1.2.3" }] } } },
      status: { readyReplicas: 1 },
    },
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/kubescribe": { webhooks: [webhook] },
    [gitSecret]: { metadata: { name: "git" } },
    [`${group}/gitrepoconfigs`]: { items: [repository] },
    [`${group}/watchrules`]: { items: [] },
    [`${group}/clusterwatchrules`]: { items: [rule] },
    ...world.answers,
  };
}

async function checked(
  world: World,
  argv: readonly string[] = [],
): Promise<{ readonly code: number; readonly text: string }> {
  const answers = answersOf(world);
  const api = new FakeApi((path, request) => {
    if (path.endsWith("subjectaccessreviews")) {
      const { spec } = JSON.parse(String(request.body)) as { spec: { resourceAttributes: Access; user?: string } };
      const allowed = world.may?.(spec.resourceAttributes, spec.user ?? "") ?? true;
      if (allowed === "refused") return { status: 403, body: "{}" };
      return { status: 201, body: JSON.stringify({ status: { allowed } }) };
    }
    const answer = answers[path] ?? 404;
    return typeof answer === "number" ? { status: answer, body: "{}" } : { body: JSON.stringify(answer) };
  });
  let text = "";
  const code = await checkInstallation(parseInstallOptions(argv, settings).values, {
    inquiry: inquiryOf(api, new AbortController().signal),
    served: () => Promise.resolve([type("apps", "deployments"), type("", "configmaps")]),
    nowMs: () => nowMs,
    out: (more) => void (text += more),
  });
  return { code, text };
}

const nowMs = 1_700_000_000_000;

describe("install --check", () => {
  test("is content with what is as it should be", async () => {
    const { code, text } = await checked({});
    expect(text).toBe(`ok      API server        v1.36.3 (tested: 1.34 to 1.36 are)
ok      your rights       you may install, upgrade and uninstall
ok      custom resources  3, of this version
ok      process           1 of 1 pods ready
ok      webhook           writes are reviewed, and it fails open
ok      rights            kubescribe may keep its rules, webhook, Secrets and Lease
ok      rules             2 documents
ok      rights            kubescribe may watch all 1 types that the rules name
ok      rights            kubescribe may read Secret default/git

Nothing lacks.
`);
    expect(code).toBe(0);
  });

  const configuration = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/kubescribe";
  const deployment = "/apis/apps/v1/namespaces/kubescribe-system/deployments/kubescribe";
  test.each<readonly [string, World, RegExp]>([
    [
      "a server that is older than the oldest supported, and looks at the rest all the same",
      { answers: { "/version": { gitVersion: "v1.33.9-gke.1", minor: "33+" } } },
      /^LACKS +API server +v1\.33\.9-gke\.1 is older than 1\.34, the oldest that is supported\n +Upgrade the cluster to 1\.34[^]*^ok +your rights/m,
    ],
    [
      "the oldest supported server",
      { answers: { "/version": { gitVersion: "v1.34.0", minor: "34" } } },
      /^ok +API server +v1\.34\.0 \(tested: 1\.34 to 1\.36 are\)/m,
    ],
    [
      "a newer server than those of the tests",
      { answers: { "/version": { gitVersion: "v1.37.0", minor: "37" } } },
      /^note +API server +v1\.37\.0 \(not tested/m,
    ],
    [
      "no API server",
      { answers: { "/version": 404 } },
      /^LACKS +API server +expected a Kubernetes API server, found status 404/m,
    ],
    ["no webhook", { answers: { [configuration]: 404 } }, /^LACKS +webhook +there is no Validating/m],
    ["an unfilled webhook", { answers: { [configuration]: {} } }, /^LACKS +webhook +no write is reviewed/m],
    [
      "a webhook without a CA",
      { answers: { [configuration]: { webhooks: [{ ...webhook, clientConfig: {} }] } } },
      /changes\.kubescribe\.dev trusts what the API server's machine trusts, and no more: expected a caBundle/,
    ],
    [
      "a webhook that leaves out the subresources of a type",
      {
        answers: {
          [configuration]: { webhooks: [{ ...webhook, rules: [{ ...webhook.rules[0], resources: ["deployments"] }] }] },
        },
      },
      /^LACKS +webhook +writes to apps\/deployments \(v1\) are not reviewed/m,
    ],
    [
      "a webhook that leaves out the version that is watched",
      {
        answers: {
          [configuration]: { webhooks: [{ ...webhook, rules: [{ ...webhook.rules[0], apiVersions: ["v1beta1"] }] }] },
        },
      },
      /writes to apps\/deployments \(v1\) are not reviewed/,
    ],
    [
      "another namespace's webhook",
      {
        answers: {
          [configuration]: {
            webhooks: [{ ...webhook, clientConfig: { caBundle: "YQ==", service: { namespace: "x" } } }],
          },
        },
      },
      /calls a Service in x: expected kubescribe-system/,
    ],
    [
      "a webhook that leaves out deletions",
      {
        answers: {
          [configuration]: {
            webhooks: [{ ...webhook, rules: [{ ...webhook.rules[0], operations: ["CREATE", "UPDATE"] }] }],
          },
        },
      },
      /writes to apps\/deployments \(v1\) are not reviewed/,
    ],
    [
      "a webhook that leaves out what has a namespace",
      {
        answers: {
          [configuration]: { webhooks: [{ ...webhook, rules: [{ ...webhook.rules[0], scope: "Cluster" }] }] },
        },
      },
      /writes to apps\/deployments \(v1\) are not reviewed/,
    ],
    [
      "a webhook that leaves out namespaces",
      { answers: { [configuration]: { webhooks: [{ ...webhook, namespaceSelector: { matchLabels: { a: "b" } } }] } } },
      /^LACKS +webhook +changes\.kubescribe\.dev: namespaceSelector leaves out more namespaces than its own\.$/m,
    ],
    [
      "a webhook that leaves out objects",
      { answers: { [configuration]: { webhooks: [{ ...webhook, objectSelector: { matchLabels: { a: "b" } } }] } } },
      /^LACKS +webhook +changes\.kubescribe\.dev: objectSelector hides objects\.$/m,
    ],
    [
      "a webhook that leaves out requests",
      { answers: { [configuration]: { webhooks: [{ ...webhook, matchConditions: [{ name: "a" }] }] } } },
      /^LACKS +webhook +changes\.kubescribe\.dev: matchConditions hide requests\.$/m,
    ],
    ["no process", { answers: { [deployment]: 404 } }, /^LACKS +process +there is no Deployment/m],
    [
      "another image",
      {
        answers: {
          [deployment]: {
            spec: { replicas: 1, template: { spec: { containers: [{ image: "a:1" }] } } },
            status: { readyReplicas: 1 },
          },
        },
      },
      /^ok +process +1 of 1 pods ready; its image is a:1/m,
    ],
    [
      "no rules",
      { answers: { [`${group}/gitrepoconfigs`]: { items: [] }, [`${group}/clusterwatchrules`]: { items: [] } } },
      /^LACKS +rules +there are none/m,
    ],
    [
      "a rule that names no repository",
      { answers: { [`${group}/gitrepoconfigs`]: { items: [] } } },
      /^LACKS +rules +ClusterWatchRule all: spec\.repo: expected a GitRepoConfig, found no default\/history/m,
    ],
    [
      "a rule that the process complains of",
      {
        answers: {
          [`${group}/clusterwatchrules`]: {
            items: [
              { ...rule, status: { conditions: [{ type: "Ready", status: "False", message: "a right lacks" }] } },
            ],
          },
        },
      },
      /^LACKS +rules +ClusterWatchRule all is not Ready: a right lacks/m,
    ],
    [
      "a right that a rule needs",
      { may: ({ resource, verb }) => resource !== "deployments" || verb === "create" },
      /^LACKS +rights +kubescribe may not watch apps\/deployments, which rules name$[^]*name: kubescribe-watch-more[^]*\[deployments\]/m,
    ],
    [
      "a Secret that a repository needs",
      { may: ({ verb, resource }, user) => user === "" || resource !== "secrets" || verb === "update" },
      /^LACKS +rights +kubescribe may not read Secret default\/git[^]*kind: RoleBinding/m,
    ],
    [
      "a Secret that is not there",
      { answers: { [gitSecret]: 404 } },
      /^LACKS +credentials +there is no Secret default\/git, which a GitRepoConfig names\n +docs\/INSTALL\.md has/m,
    ],
    ["nothing of a Secret that one may not see", { answers: { [gitSecret]: 403 } }, /^Nothing lacks\.$/m],
    [
      "rights of one's own",
      { may: (_access, user) => user !== "" },
      /^note +your rights +you may not create namespaces\n +create customresourcedefinitions/m,
    ],
    ["an answer about rights", { may: () => "refused" }, /^note +rights +you may not ask what kubescribe may/m],
  ])("names %s", async (_what, world, expected) => {
    const { code, text } = await checked(world);
    expect(text).toMatch(expected);
    expect(code).toBe(/^LACKS/m.test(text) ? 1 : 0);
  });

  describe("with a certificate that is not its own", async () => {
    const order = { lifetimeMs: 86_400_000, nowMs, randomBytes };
    const [right, other, elsewhere] = await Promise.all(
      ["kubescribe.kubescribe-system.svc", "kubescribe.kubescribe-system.svc", "kubescribe.default.svc"].map((name) =>
        makeGeneration({ ...order, names: [name] }),
      ),
    );
    const base64 = (text = ""): string => Buffer.from(text).toString("base64");
    const secret = "/api/v1/namespaces/kubescribe-system/secrets/kubescribe-tls";
    const found = (certPem?: string, caPem?: string): World => {
      const clientConfig = { ...webhook.clientConfig, ...(caPem === undefined ? {} : { caBundle: base64(caPem) }) };
      return {
        answers: {
          [secret]: certPem === undefined ? 404 : { data: { "tls.crt": base64(certPem) } },
          [configuration]: { webhooks: [{ ...webhook, clientConfig }] },
        },
      };
    };
    test.each<readonly [string, World, RegExp]>([
      [
        "that is right",
        found(right?.certPem, right?.caPem),
        /^ok +certificate +it is for kubescribe\.kubesc[^ ]*, and trusted$/m,
      ],
      ["that is trusted itself", found(right?.certPem, right?.certPem), /^ok +certificate/m],
      [
        "in a bundle of several",
        found(`${right?.certPem}${other?.certPem}`, `${other?.caPem}${right?.caPem}`),
        /^ok +certificate/m,
      ],
      [
        "that is not there",
        found(),
        /^LACKS +certificate +there is no Secret kubescribe-system\/kubescribe-tls: expected/m,
      ],
      ["that is none", found("no PEM", right?.caPem), /^LACKS +certificate +Secret [^ ]*kubescribe-tls holds none/m],
      [
        "of another authority",
        found(right?.certPem, other?.caPem),
        /^LACKS +certificate +caBundle does not lead to it, or is empty, in changes\.kubescribe\.dev\n +Write the authority/m,
      ],
      [
        "that nobody trusts",
        found(right?.certPem, ""),
        /^LACKS +certificate +caBundle does not lead to it, or is empty/m,
      ],
      [
        "for another name",
        found(elsewhere?.certPem, elsewhere?.caPem),
        /^LACKS +certificate +it is not for kubescribe\.kub/m,
      ],
      ["that cannot be looked at", { answers: { [secret]: 403 } }, /^note +certificate +its Secret cannot be read/m],
    ])("tells of one %s", async (_what, world, expected) => {
      for (const certificates of ["files", "cert-manager"])
        expect((await checked(world, ["--certificates", certificates])).text).toMatch(expected);
    });

    test("tells of one that has ended, and asks for none where it makes its own", async () => {
      const short = await makeGeneration({ ...order, lifetimeMs: -1000, names: ["kubescribe.kubescribe-system.svc"] });
      const world = found(short.certPem, short.caPem);
      expect((await checked(world, ["--certificates", "files"])).text).toMatch(/^LACKS +certificate +it ended at 20/m);
      expect((await checked(world)).text).not.toMatch(/certificate +it/);
    });
  });

  const classes = "/apis/storage.k8s.io/v1/storageclasses";
  const fast = { metadata: { name: "fast" } };
  const usual = { metadata: { name: "usual", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } } };
  test.each<readonly [readonly string[], World, RegExp]>([
    [["--certificates", "cert-manager"], {}, /^LACKS +needs +the cluster serves no cert-manager\.io\/certificates/m],
    [["--service-monitor"], {}, /^LACKS +needs +the cluster serves no monitoring\.coreos\.com\/servicemonitors/m],
    [
      ["--storage", "pvc"],
      { answers: { [classes]: { items: [fast] } } },
      /^LACKS +needs +no storage class is the default/m,
    ],
    [
      ["--storage", "pvc"],
      { answers: { [classes]: { items: [fast, usual] } } },
      /^ok +needs +storage class usual is there/m,
    ],
    [
      ["--storage", "pvc", "--storage-class", "slow"],
      { answers: { [classes]: { items: [fast] } } },
      /^LACKS +needs +there is no storage class slow\n +There are fast\./m,
    ],
    [["--storage", "pvc"], { answers: { [classes]: 403 } }, /^note +needs +storage classes cannot be listed/m],
  ])("asks for what %j needs", async (argv, world, expected) => {
    expect((await checked(world, argv)).text).toMatch(expected);
  });
});
