/** The right to one Secret as YAML, for whoever may grant it: printed where it lacks, and never applied by kubescribe itself. */

/** A ServiceAccount. */
export interface Account {
  readonly name: string;
  readonly namespace: string;
}

export interface SecretRight {
  readonly secret: { readonly name: string; readonly namespace: string };
  readonly role: string;
  readonly verbs: readonly string[];
  readonly account: Account;
}

/** Of the Role and the RoleBinding for a Secret with credentials of a Git remote: as `install --git-secrets` makes them. */
export function gitSecretRoleName(installation: string, secret: string): string {
  return `${installation}-git-${secret}`;
}

/** Of the Secret that the keys of an installation are kept in. */
export function keysSecretName(installation: string): string {
  return `${installation}-keys`;
}

export function secretRoleYaml({ secret, role, verbs, account }: SecretRight): string {
  const metadata = `metadata: {name: ${role}, namespace: ${secret.namespace}}`;
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
${metadata}
rules:
- {apiGroups: [""], resources: [secrets], resourceNames: [${secret.name}], verbs: [${verbs.join(", ")}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
${metadata}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ${role}}
subjects:
- {kind: ServiceAccount, name: ${account.name}, namespace: ${account.namespace}}
`;
}
