/** Looks at what `kubescribe install` makes: is it there, is it of this version, was it altered, does it run. */

import { adviceOnStatus } from "../kubernetes/reach-advice.ts";
import type { PlainObject } from "../manifests/fill.ts";
import { installation } from "../manifests/names.ts";
import type { Inquiry, Json } from "./cluster-inquiry.ts";
import type { Finding } from "./finding.ts";
import { applyAgain } from "./finding.ts";

/**
 * Minor versions of Kubernetes that end-to-end tests run on: the newest one, and two before it. An older one is not supported;
 * what a newer one does differently nobody has seen.
 */
const testedMinors = { from: 34, to: 36 } as const;

/** `answers`: it is one, of whatever version, and can be asked for the rest. */
export async function checkServer({ get }: Inquiry): Promise<{ readonly finding: Finding; readonly answers: boolean }> {
  const { status, body } = await get("/version");
  const version = body.at("gitVersion").text;
  if (status === 200 && version !== "")
    return { finding: versionFinding(version, Number.parseInt(body.at("minor").text, 10)), answers: true };
  const detail = `expected a Kubernetes API server, found status ${status} at /version`;
  const advice = adviceOnStatus(
    status,
    "This user may not read it: the role system:public-info-viewer is what usually lets everybody.",
  );
  return { finding: { state: "lacks", about: "API server", detail, advice }, answers: false };
}

function versionFinding(version: string, minor: number): Finding {
  const about = "API server";
  const { from, to } = testedMinors;
  if (minor < from) {
    const advice = `Upgrade the cluster to 1.${from} or newer: nobody has seen what an older one does with the types, the webhook and the watch.`;
    return {
      state: "lacks",
      about,
      detail: `${version} is older than 1.${from}, the oldest that is supported`,
      advice,
    };
  }
  const tested = minor <= to;
  const detail = `${version} (${tested ? "tested" : "not tested"}: 1.${from} to 1.${to} are)`;
  return { state: tested ? "ok" : "note", about, detail };
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
