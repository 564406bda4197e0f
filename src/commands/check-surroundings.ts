/** Looks for what an installation with the given options needs of others: cert-manager, the operator of Prometheus, a storage class. */

import type { ResourceType } from "../../machines/messages.ts";
import type { InstallValues } from "../manifests/install-values.ts";
import type { Inquiry } from "./cluster-inquiry.ts";
import type { Finding } from "./finding.ts";

const about = "needs";

/** `served`: every type of the cluster. */
export function checkOperators(values: InstallValues, served: readonly ResourceType[]): readonly Finding[] {
  const needed = [
    { option: "--certificates cert-manager", wanted: values.certificates === "cert-manager", key: certificates },
    { option: "--service-monitor", wanted: values.serviceMonitor, key: "monitoring.coreos.com/servicemonitors" },
    { option: "--prometheus-rule", wanted: values.prometheusRule, key: "monitoring.coreos.com/prometheusrules" },
  ];
  return needed
    .filter(({ wanted }) => wanted)
    .map(({ option, key }): Finding => {
      if (served.some((type) => type.key === key)) return { state: "ok", about, detail: `${key} are there` };
      const advice = `Install what serves them (${operatorOf(key)}), or leave ${option} out.`;
      return { state: "lacks", about, detail: `the cluster serves no ${key}, which ${option} needs`, advice };
    });
}

export async function checkStorage({ get }: Inquiry, values: InstallValues): Promise<readonly Finding[]> {
  if (values.storage !== "pvc") return [];
  const { status, body } = await get("/apis/storage.k8s.io/v1/storageclasses");
  if (status !== 200) return [{ state: "note", about, detail: `storage classes cannot be listed (status ${status})` }];
  const classes = body.at("items").items.map((item) => item.at("metadata"));
  const names = classes.map((metadata) => metadata.at("name").text);
  const usual = classes.find((metadata) => metadata.at("annotations", defaultClass).text === "true");
  const wanted = values.storageClass === "" ? (usual?.at("name").text ?? "") : values.storageClass;
  if (names.includes(wanted)) return [{ state: "ok", about, detail: `storage class ${wanted} is there` }];
  const detail = wanted === "" ? "no storage class is the default" : `there is no storage class ${wanted}`;
  const found = names.length === 0 ? "The cluster has none." : `There are ${names.slice(0, 10).join(", ")}.`;
  return [{ state: "lacks", about, detail, advice: `${found} Name one with --storage-class, or use --storage none.` }];
}

const certificates = "cert-manager.io/certificates";
const defaultClass = "storageclass.kubernetes.io/is-default-class";

function operatorOf(key: string): string {
  return key === certificates ? "cert-manager" : "the operator of Prometheus";
}
