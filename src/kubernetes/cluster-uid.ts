/** Which cluster this is: the uid of its namespace kube-system, which lives as long as the cluster does. */

import type { ApiServer } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Uid } from "../../machines/messages.ts";
import { readObjectHead } from "../bytes/object-head.ts";
import { networkDetail, readWhole } from "./body.ts";

const maxNamespaceBytes = 4 * 1024 * 1024;

/** Throws `cluster-unreachable` or `cluster-unknown`. */
export async function readClusterUid(api: ApiServer, signal: AbortSignal): Promise<Uid> {
  const path = "/api/v1/namespaces/kube-system";
  const response = await api
    .request({ method: "GET", path, headers: { accept: "application/json" } }, signal)
    .catch((error: unknown) => {
      throw new KubescribeError(
        "cluster-unreachable",
        `The API server does not answer (${networkDetail(error)}). Check that it runs, that the address in the kubeconfig is right, and that the network lets this process through.`,
        { retry: "backoff", cause: error },
      );
    });
  const text = await readWhole(response.body, maxNamespaceBytes);
  if (response.status === 200) {
    const { uid } = readObjectHead(Buffer.from(text));
    if (uid !== "") return uid;
  }
  throw new KubescribeError(
    "cluster-unknown",
    `The namespace kube-system cannot be read (status ${response.status}): its uid names the cluster. ${adviceOn(response.status)}`,
    { retry: "backoff" },
  );
}

function adviceOn(status: number): string {
  switch (status) {
    case 401:
      return "The credentials are not accepted: try them with kubectl auth whoami.";
    case 403:
      return 'Give this user the right to get it (see "kubescribe install").';
    case 200:
    case 404:
      return "Something else than an API server seems to answer at this address: check the server of the kubeconfig.";
    default:
      return "Check that the API server is well: kubectl get --raw /readyz.";
  }
}
