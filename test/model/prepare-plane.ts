/** What the comparison needs of a control plane: the namespace, the CRD, every type served. */

import type { ControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { clusterPath, namespace, widgetDefinition } from "../storm/kinds.ts";
import { modelKinds } from "./model-kinds.ts";

export async function preparePlane(plane: ControlPlane): Promise<void> {
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const made = [
    await plane.request("admin", "POST", "/api/v1/namespaces", { metadata: { name: namespace } }),
    await plane.request("admin", "POST", definitions, widgetDefinition),
  ];
  for (const { status, text } of made) if (status !== 201) throw new Error(text);
  for (const kind of modelKinds) {
    const path = clusterPath(kind);
    for (const server of plane.urls.keys()) {
      const served = async (): Promise<true | undefined> =>
        (await plane.request("admin", "GET", path, undefined, { server })).status === 200 ? true : undefined;
      await eventually(served, { what: path });
    }
  }
}
