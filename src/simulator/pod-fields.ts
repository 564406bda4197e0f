/** The fields of a PodSpec, in the order of its Go struct, and how the elements of its lists are told apart. */

import type { Layout } from "./json.ts";

const CONTAINER: Layout = {
  name: null,
  image: null,
  command: null,
  args: null,
  workingDir: null,
  ports: { name: null, hostPort: null, containerPort: null, protocol: null },
  env: { name: null, value: null, valueFrom: null },
  resources: { limits: null, requests: null },
  volumeMounts: null,
  livenessProbe: null,
  readinessProbe: null,
  terminationMessagePath: null,
  terminationMessagePolicy: null,
  imagePullPolicy: null,
};

export const POD_FIELDS: Layout = {
  volumes: null,
  initContainers: CONTAINER,
  containers: CONTAINER,
  restartPolicy: null,
  terminationGracePeriodSeconds: null,
  dnsPolicy: null,
  nodeSelector: null,
  serviceAccountName: null,
  nodeName: null,
  securityContext: null,
  schedulerName: null,
  tolerations: null,
  priority: null,
  enableServiceLinks: null,
  preemptionPolicy: null,
};

/** How the elements of a list are told apart, by dotted path: by the value itself, or by some of their fields. */
export type Lists = Readonly<Record<string, "set" | readonly string[]>>;

/** `at` is where the PodSpec is. */
export function podLists(at: string): Lists {
  const ofContainers = (name: string): Lists => ({
    [`${at}.${name}`]: ["name"],
    [`${at}.${name}.ports`]: ["containerPort", "protocol"],
    [`${at}.${name}.env`]: ["name"],
    [`${at}.${name}.volumeMounts`]: ["mountPath"],
  });
  return { ...ofContainers("containers"), ...ofContainers("initContainers"), [`${at}.volumes`]: ["name"] };
}
