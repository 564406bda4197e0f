/** Looks at rights: of whoever installs, and of the process as its ServiceAccount. What lacks is printed as YAML to apply. */

import type { ResourceType } from "../../machines/messages.ts";
import { aggregationLabel, group, installation, keysSecret, ruleResources, webhookSecret } from "../manifests/names.ts";
import { gitSecretRoleName, secretRoleYaml } from "../manifests/secret-role.ts";
import type { Access, Inquiry } from "./cluster-inquiry.ts";
import type { Finding } from "./finding.ts";

const about = "rights";

/** Of whoever asks: to apply what `install` prints. */
export async function checkInstaller({ may }: Inquiry, namespace: string): Promise<Finding> {
  const needed: readonly Access[] = [
    { verb: "create", group: "", resource: "namespaces" },
    { verb: "create", group: "apiextensions.k8s.io", resource: "customresourcedefinitions" },
    { verb: "create", group: "rbac.authorization.k8s.io", resource: "clusterroles" },
    { verb: "create", group: "rbac.authorization.k8s.io", resource: "clusterrolebindings" },
    { verb: "create", group: "admissionregistration.k8s.io", resource: "validatingwebhookconfigurations" },
    { verb: "create", group: "apps", resource: "deployments", namespace },
    { verb: "create", group: "", resource: "secrets", namespace },
    // Whoever grants what he does not have himself needs this; who has it all does not.
    { verb: "escalate", group: "rbac.authorization.k8s.io", resource: "clusterroles" },
  ];
  const lacking = await lackingOf(needed, (access) => may(access, ""));
  if (lacking === null) return { ...silent, about: "your rights" };
  if (lacking.length === 0)
    return { state: "ok", about: "your rights", detail: "you may install, upgrade and uninstall" };
  const detail = `you may not ${rightsText(lacking)}`;
  return { state: "note", about: "your rights", detail, advice: "Somebody who may must apply the manifests." };
}

/** What kubescribe needs, whatever the rules say. */
export async function checkBaseRights({ may }: Inquiry, namespace: string): Promise<Finding> {
  const configuration = { group: "admissionregistration.k8s.io", resource: "validatingwebhookconfigurations" };
  const verbs = (names: readonly string[], rest: Omit<Access, "verb">): readonly Access[] =>
    names.map((verb) => ({ verb, ...rest }));
  const needed: readonly Access[] = [
    ...ruleResources.flatMap((resource) => verbs(["get", "list", "watch"], { group, resource })),
    ...ruleResources.map((resource) => ({ verb: "patch", group, resource, subresource: "status" })),
    { verb: "get", group: "", resource: "namespaces", name: "kube-system" },
    ...verbs(["get", "update", "patch"], { ...configuration, name: installation }),
    ...verbs(["get", "update", "patch"], { group: "", resource: "secrets", namespace, name: webhookSecret }),
    ...verbs(["get", "update"], { group: "", resource: "secrets", namespace, name: keysSecret }),
    ...verbs(["get", "update", "patch"], {
      group: "coordination.k8s.io",
      resource: "leases",
      namespace,
      name: installation,
    }),
  ];
  const lacking = await lackingOf(needed, (access) => may(access, accountOf(namespace)));
  if (lacking === null) return silent;
  if (lacking.length === 0)
    return { state: "ok", about, detail: "kubescribe may keep its rules, webhook, Secrets and Lease" };
  const detail = `kubescribe may not ${rightsText(lacking)}`;
  return { state: "lacks", about, detail, advice: "Apply what `kubescribe install` prints: its roles are in there." };
}

/** `types`: what the rules of the cluster name. */
export async function checkWatchRights(
  { may }: Inquiry,
  { namespace, types }: { readonly namespace: string; readonly types: readonly ResourceType[] },
): Promise<Finding> {
  const lacking: ResourceType[] = [];
  for (const type of types) {
    const needed = ["list", "watch"].map((verb) => ({ verb, group: type.group, resource: type.resource }));
    const denied = await lackingOf(needed, (access) => may(access, accountOf(namespace)));
    if (denied === null) return silent;
    if (denied.length > 0) lacking.push(type);
  }
  if (lacking.length === 0)
    return { state: "ok", about, detail: `kubescribe may watch all ${types.length} types that the rules name` };
  const detail = `kubescribe may not watch ${lacking.map(typeWord).join(", ")}, which rules name`;
  return { state: "lacks", about, detail, yaml: roleFor(lacking) };
}

/** A Secret that a GitRepoConfig names. */
export async function checkGitSecret(
  { may }: Inquiry,
  { namespace, secret }: { readonly namespace: string; readonly secret: string },
): Promise<Finding> {
  const [from = "", name = ""] = secret.split("/");
  const allowed = await may(
    { verb: "get", group: "", resource: "secrets", namespace: from, name },
    accountOf(namespace),
  );
  if (allowed === null) return silent;
  if (allowed) return { state: "ok", about, detail: `kubescribe may read Secret ${secret}` };
  const detail = `kubescribe may not read Secret ${secret}, which a GitRepoConfig names`;
  const yaml = secretRoleYaml({
    secret: { namespace: from, name },
    role: gitSecretRoleName(installation, name),
    verbs: ["get"],
    account: { name: installation, namespace },
  });
  return { state: "lacks", about, detail, yaml };
}

/** Nothing to say of one that is there, or that whoever asks may not see. */
export async function checkGitSecretIsThere({ isThere }: Inquiry, secret: string): Promise<readonly Finding[]> {
  const [from = "", name = ""] = secret.split("/");
  if ((await isThere(`/api/v1/namespaces/${from}/secrets/${name}`)) !== false) return [];
  const detail = `there is no Secret ${secret}, which a GitRepoConfig names`;
  return [{ state: "lacks", about: "credentials", detail, advice: "docs/INSTALL.md has the command that makes it." }];
}

const silent: Finding = {
  state: "note",
  about,
  detail: "you may not ask what kubescribe may: that takes the right to create subjectaccessreviews",
};

/** Null, where the server does not tell. */
async function lackingOf(
  needed: readonly Access[],
  may: (access: Access) => Promise<boolean | null>,
): Promise<readonly Access[] | null> {
  const lacking: Access[] = [];
  for (const access of needed) {
    const allowed = await may(access);
    if (allowed === null) return null;
    if (!allowed) lacking.push(access);
  }
  return lacking;
}

function accountOf(namespace: string): string {
  return `system:serviceaccount:${namespace}:${installation}`;
}

/** A line for each type, with the verbs that lack. */
function rightsText(lacking: readonly Access[]): string {
  const verbsOf = new Map<string, string[]>();
  for (const access of lacking) {
    const { group, resource, subresource, name } = access;
    const type = `${resource}${group === "" ? "" : `.${group}`}${subresource === undefined ? "" : `/${subresource}`}`;
    const what = `${type}${name === undefined ? "" : ` ${name}`}`;
    verbsOf.set(what, [...(verbsOf.get(what) ?? []), access.verb]);
  }
  return [...verbsOf].map(([what, verbs]) => `${verbs.join(", ")} ${what}`).join("\n");
}

function typeWord({ group, resource }: ResourceType): string {
  return group === "" ? resource : `${group}/${resource}`;
}

function roleFor(types: readonly ResourceType[]): string {
  const groups = [...new Set(types.map(({ group }) => group))];
  const rules = groups.map((group) => {
    const resources = types.filter((type) => type.group === group).map(({ resource }) => resource);
    return `- {apiGroups: [${JSON.stringify(group)}], resources: [${resources.join(", ")}], verbs: [get, list, watch]}\n`;
  });
  const label = Object.entries(aggregationLabel).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: ${installation}-watch-more
  labels: {${label.join(", ")}}
rules:
${rules.join("")}`;
}
