/** A kubeconfig for one user of the simulated API server: what the product reads, as it would a cluster's. */

export interface KubeconfigOptions {
  readonly serverUrl: string;
  readonly caBundlePem: string;
  readonly token: string;
}

/** JSON is YAML. */
export function kubeconfigOf({ serverUrl, caBundlePem, token }: KubeconfigOptions): string {
  const name = "simulator";
  const authority = Buffer.from(caBundlePem).toString("base64");
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server: serverUrl, "certificate-authority-data": authority } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: "default" } }],
    "current-context": name,
  };
  return `${JSON.stringify(kubeconfig, null, 2)}\n`;
}
