/** How people call a resource type, as kubectl understands it. Without a cluster nobody says which words a type has: these are rules. */

export interface TypeName {
  /** Empty for the core group. */
  readonly group: string;
  /** Plural, as in the URL. */
  readonly resource: string;
}

/** Of the built-in types. */
const shortNames: Readonly<Record<string, string>> = {
  cm: "configmaps",
  cj: "cronjobs",
  crd: "customresourcedefinitions",
  crds: "customresourcedefinitions",
  cs: "componentstatuses",
  csr: "certificatesigningrequests",
  deploy: "deployments",
  ds: "daemonsets",
  ep: "endpoints",
  ev: "events",
  hpa: "horizontalpodautoscalers",
  ing: "ingresses",
  limits: "limitranges",
  netpol: "networkpolicies",
  no: "nodes",
  ns: "namespaces",
  pc: "priorityclasses",
  pdb: "poddisruptionbudgets",
  po: "pods",
  pv: "persistentvolumes",
  pvc: "persistentvolumeclaims",
  quota: "resourcequotas",
  rc: "replicationcontrollers",
  rs: "replicasets",
  sa: "serviceaccounts",
  sc: "storageclasses",
  sts: "statefulsets",
  svc: "services",
};

export interface TypeWord {
  readonly word: string;
  /** Null: any group. */
  readonly group: string | null;
}

/** `deployments.apps`, `deployments.v1.apps`, `Deployment`. */
export function typeWordOf(text: string): TypeWord {
  const [word = "", ...rest] = text.toLowerCase().split(".");
  if (rest.length === 0) return { word, group: null };
  const group = (apiVersion.test(rest[0] ?? "") ? rest.slice(1) : rest).join(".");
  return { word, group: group === "core" ? "" : group };
}

const apiVersion = /^v\d+(?:(?:alpha|beta)\d+)?$/;

export function names({ word, group }: TypeWord, type: TypeName): boolean {
  if (group !== null && group !== type.group) return false;
  const plural = type.resource.toLowerCase();
  return pluralsOf(word).includes(plural) || (Object.hasOwn(shortNames, word) && shortNames[word] === plural);
}

/** The word itself may be one. */
function pluralsOf(word: string): readonly string[] {
  return [word, `${word}s`, `${word}es`, word.replace(/y$/, "ies")];
}

/** `deployments.apps` */
export function typeText({ group, resource }: TypeName): string {
  return group === "" ? resource : `${resource}.${group}`;
}
