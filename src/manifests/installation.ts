/** All of an installation, in the order in which it is applied. */

import { access } from "./access.ts";
import { customResources } from "./custom-resources.ts";
import type { Document } from "./document.ts";
import { selector } from "./names.ts";
import { surroundings } from "./surroundings.ts";
import { inChart, not, value, when } from "./template.ts";
import { webhook } from "./webhook.ts";
import { workload } from "./workload.ts";

export function installationDocuments(): readonly Document[] {
  return [namespace, ...customResources(), ...access(), ...webhook(), ...workload(), ...surroundings()];
}

/** Not of the chart: a release lives in a namespace that is there before it. */
const namespace: Document = {
  file: "namespace",
  comment: "The strictest of the Pod Security levels.",
  template: when(not(inChart), {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: value("namespace"),
      labels: {
        ...selector,
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
      },
    },
  }),
};
