/** Which cluster this is: the uid of its namespace kube-system, which lives as long as the cluster does. */

import type { ApiServer } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Uid } from "../../machines/messages.ts";
import { readObjectHead } from "../bytes/object-head.ts";
import { networkDetail, readWhole } from "./body.ts";
import { adviceOnSilence, adviceOnStatus } from "./reach-advice.ts";

const right = 'Give this user the right to get it (see "kubescribe install").';
const maxNamespaceBytes = 4 * 1024 * 1024;

/** Throws `cluster-unreachable` or `cluster-unknown`. */
export async function readClusterUid(api: ApiServer, signal: AbortSignal): Promise<Uid> {
  const path = "/api/v1/namespaces/kube-system";
  const response = await api
    .request({ method: "GET", path, headers: { accept: "application/json" } }, signal)
    .catch((error: unknown) => {
      const code = networkDetail(error);
      throw new KubescribeError(
        "cluster-unreachable",
        `The API server does not answer (${code}). ${adviceOnSilence(code)}`,
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
    `The namespace kube-system cannot be read (status ${response.status}): its uid names the cluster. ${adviceOnStatus(response.status, right)}`,
    { retry: "backoff" },
  );
}
