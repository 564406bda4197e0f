/** Looks at what `kubescribe install` makes: is it there, is it of this version, was it altered, does it run. */

import { adviceOnStatus } from "../kubernetes/reach-advice.ts";
import type { PlainObject } from "../manifests/fill.ts";
import { installation } from "../manifests/names.ts";
import type { Inquiry, Json } from "./cluster-inquiry.ts";
import type { Finding } from "./finding.ts";
import { applyAgain } from "./finding.ts";

/** Minor versions of Kubernetes that end-to-end tests run on: the newest one and two before it. */
const testedMinors = { from: 34, to: 36 } as const;

export async function checkServer({ get }: Inquiry): Promise<Finding> {
  const { status, body } = await get("/version");
  const about = "API server";
  const version = body.at("gitVersion").text;
  if (status !== 200 || version === "")
    return {
      state: "lacks",
      about,
      detail: `expected a Kubernetes API server, found status ${status} at /version`,
      advice: adviceOnStatus(
        status,
        "This user may not read it: the role system:public-info-viewer is what usually lets everybody.",
      ),
    };
  const minor = Number.parseInt(body.at("minor").text, 10);
  const { from, to } = testedMinors;
  const tested = minor >= from && minor <= to;
  return {
    state: tested ? "ok" : "note",
    about,
    detail: `${version} (${tested ? "tested" : "not tested"}: 1.${from} to 1.${to} are)`,
    ...(minor < from ? { advice: "Older servers may refuse the validations of the custom resources." } : {}),
  };
}

export async function checkDefinitions({ get }: Inquiry, wanted: readonly PlainObject[]): Promise<Finding> {
  const about = "custom resources";
  const faults: string[] = [];
  for (const definition of wanted) {
    const name = nameOf(definition);
    const { status, body } = await get(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`);
    if (status === 404) faults.push(`${name} is not there`);
    else if (status !== 200) faults.push(`${name} cannot be read (status ${status})`);
    else if (!sameVersions(body, definition)) faults.push(`${name} is of another version of kubescribe`);
    else if (!holds(body, "Established")) faults.push(`${name} is not served (yet)`);
  }
  if (faults.length === 0) return { state: "ok", about, detail: `${wanted.length}, of this version` };
  return { state: "lacks", about, detail: faults.join("\n"), advice: applyAgain };
}

export async function checkProcess(
  { get }: Inquiry,
  options: { readonly namespace: string; readonly image: string },
): Promise<Finding> {
  const about = "process";
  const { namespace, image } = options;
  const { status, body } = await get(`/apis/apps/v1/namespaces/${namespace}/deployments/${installation}`);
  const missing = `there is no Deployment ${installation} in namespace ${namespace}`;
  if (status === 404)
    return { state: "lacks", about, detail: missing, advice: `${applyAgain} Or name its --namespace.` };
  if (status !== 200) return { state: "note", about, detail: `it cannot be read (status ${status})` };
  const wanted = body.at("spec", "replicas").number;
  const ready = body.at("status", "readyReplicas").number;
  const found = body.at("spec", "template", "spec", "containers", 0, "image").text;
  const other = found === image ? "" : `; its image is ${found}`;
  if (ready >= wanted && wanted > 0) return { state: "ok", about, detail: `${ready} of ${wanted} pods ready${other}` };
  const advice = `kubectl -n ${namespace} describe pods -l app.kubernetes.io/name=${installation} says why.`;
  return { state: "lacks", about, detail: `${ready} of ${wanted} pods ready${other}`, advice };
}

/** Only what decides which documents are taken, and how they are shown: the server adds defaults elsewhere. */
function sameVersions(found: Json, wanted: PlainObject): boolean {
  const spec = wanted["spec"] as PlainObject;
  return canonical(found.at("spec", "versions").value) === canonical(spec["versions"]);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function nameOf(object: PlainObject): string {
  return (object["metadata"] as { readonly name: string }).name;
}

function holds(object: Json, type: string): boolean {
  const conditions = object.at("status", "conditions").items;
  return conditions.some((condition) => condition.at("type").text === type && condition.at("status").text === "True");
}
