import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { manifestOf } from "../../src/sanitize/manifest.ts";
import { simulatedSecrets } from "../../src/simulation/simulated-secrets.ts";

interface Row {
  readonly name: string;
  /** group/kind */
  readonly of: string;
  readonly given: object;
  readonly left: object;
}

const metadata = { name: "a" };
const tokenVolume = {
  name: "kube-api-access-x7k2p",
  projected: { sources: [{ serviceAccountToken: { path: "token" } }] },
};
const tokenMount = { name: "kube-api-access-x7k2p", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };

const rows: readonly Row[] = [
  {
    name: "drops what the API server keeps for itself",
    of: "/ConfigMap",
    given: {
      metadata: {
        ...metadata,
        namespace: "b",
        uid: "u",
        resourceVersion: "1",
        generation: 1,
        creationTimestamp: "t",
        deletionTimestamp: "t",
        deletionGracePeriodSeconds: 1,
        managedFields: [{}],
        selfLink: "/",
        ownerReferences: [{ uid: "u" }],
        generateName: "a-",
      },
      data: { status: "kept", uid: "kept" },
      status: {},
    },
    left: { metadata: { ...metadata, namespace: "b", generateName: "a-" }, data: { status: "kept", uid: "kept" } },
  },
  {
    name: "keeps finalizers that somebody else set",
    of: "example.com/Thing",
    given: { metadata: { ...metadata, finalizers: ["foregroundDeletion", "example.com/mine"] } },
    left: { metadata: { ...metadata, finalizers: ["example.com/mine"] } },
  },
  {
    name: "leaves no empty map or list where all was denied",
    of: "/PersistentVolumeClaim",
    given: {
      metadata: {
        ...metadata,
        finalizers: ["kubernetes.io/pvc-protection"],
        annotations: { "pv.kubernetes.io/bind-completed": "yes" },
      },
    },
    left: { metadata },
  },
  {
    name: "keeps maps and lists that came empty",
    of: "/ConfigMap",
    given: { metadata: { ...metadata, annotations: {}, finalizers: [] }, data: {}, x: null },
    left: { metadata: { ...metadata, annotations: {}, finalizers: [] }, data: {}, x: null },
  },
  {
    name: "keeps annotations that nobody named, restartedAt among them",
    of: "apps/Deployment",
    given: {
      metadata: { ...metadata, annotations: { "deployment.kubernetes.io/revision": "4", "example.com/a": "b" } },
      spec: {
        template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": "t" }, creationTimestamp: null } },
      },
    },
    left: {
      metadata: { ...metadata, annotations: { "example.com/a": "b" } },
      spec: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": "t" } } } },
    },
  },
  {
    name: "drops a cluster IP, keeps node ports",
    of: "/Service",
    given: {
      metadata,
      spec: { clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"], ports: [{ port: 80, nodePort: 30080 }] },
    },
    left: { metadata, spec: { ports: [{ port: 80, nodePort: 30080 }] } },
  },
  {
    name: "keeps the None of a headless service",
    of: "/Service",
    given: { metadata, spec: { clusterIP: "None", clusterIPs: ["None"] } },
    left: { metadata, spec: { clusterIP: "None", clusterIPs: ["None"] } },
  },
  {
    name: "drops a volume name that the binder chose",
    of: "/PersistentVolumeClaim",
    given: {
      metadata: { ...metadata, annotations: { "pv.kubernetes.io/bound-by-controller": "yes" } },
      spec: { volumeName: "v", volumeMode: "Block" },
    },
    left: { metadata, spec: { volumeMode: "Block" } },
  },
  {
    name: "keeps a volume name that a user chose",
    of: "/PersistentVolumeClaim",
    given: {
      metadata: { ...metadata, annotations: { "pv.kubernetes.io/bind-completed": "yes" } },
      spec: { volumeName: "v" },
    },
    left: { metadata, spec: { volumeName: "v" } },
  },
  {
    name: "drops what admission and the scheduler put into a Pod",
    of: "/Pod",
    given: {
      metadata: { ...metadata, labels: { "controller-uid": "u" }, ownerReferences: [{ kind: "Job", uid: "u" }] },
      spec: {
        nodeName: "n",
        priority: 0,
        preemptionPolicy: "PreemptLowerPriority",
        overhead: { cpu: "1" },
        ephemeralContainers: [{}],
        volumes: [tokenVolume],
        containers: [
          { name: "a", volumeMounts: [tokenMount] },
          { name: "b", volumeMounts: [tokenMount, { name: "own" }] },
        ],
      },
    },
    left: { metadata, spec: { containers: [{ name: "a" }, { name: "b", volumeMounts: [{ name: "own" }] }] } },
  },
  {
    name: "keeps a volume that only looks like a token's",
    of: "/Pod",
    given: { metadata, spec: { volumes: [{ name: "kube-api-access-x7k2p", emptyDir: {} }] } },
    left: { metadata, spec: { volumes: [{ name: "kube-api-access-x7k2p", emptyDir: {} }] } },
  },
  {
    name: "drops a Job's generated selector and labels",
    of: "batch/Job",
    given: {
      metadata: { ...metadata, labels: { "batch.kubernetes.io/controller-uid": "u", own: "x" } },
      spec: {
        selector: { matchLabels: { "controller-uid": "u" } },
        template: { metadata: { labels: { "controller-uid": "u", "job-name": "a" } }, spec: {} },
      },
    },
    left: { metadata: { ...metadata, labels: { own: "x" } }, spec: { template: { spec: {} } } },
  },
  {
    name: "keeps a Job's manual selector",
    of: "batch/Job",
    given: { metadata, spec: { manualSelector: true, selector: { matchLabels: { "controller-uid": "u" } } } },
    left: { metadata, spec: { manualSelector: true, selector: { matchLabels: { "controller-uid": "u" } } } },
  },
  {
    name: "keeps the secrets that a user listed in a ServiceAccount",
    of: "/ServiceAccount",
    given: {
      metadata,
      secrets: [{ name: "a-token-x7k2p" }, { name: "mine" }],
      imagePullSecrets: [{ name: "a-dockercfg-x7k2p" }],
    },
    left: { metadata, secrets: [{ name: "mine" }] },
  },
  {
    name: "drops the taints of controllers, keeps cordon and others",
    of: "/Node",
    given: {
      metadata,
      spec: {
        unschedulable: true,
        podCIDR: "c",
        taints: [{ key: "node.kubernetes.io/unschedulable" }, { key: "own", timeAdded: "t" }],
      },
    },
    left: { metadata, spec: { unschedulable: true, taints: [{ key: "own" }] } },
  },
  {
    name: "drops a Lease's heartbeat",
    of: "coordination.k8s.io/Lease",
    given: {
      metadata,
      spec: { holderIdentity: "h", renewTime: "t", acquireTime: "t", leaseTransitions: 1, leaseDurationSeconds: 15 },
    },
    left: { metadata, spec: { leaseDurationSeconds: 15 } },
  },
  {
    name: "drops aggregated rules only",
    of: "rbac.authorization.k8s.io/ClusterRole",
    given: { metadata, aggregationRule: {}, rules: [{}] },
    left: { metadata, aggregationRule: {} },
  },
  {
    name: "keeps a CA bundle that a user wrote",
    of: "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
    given: { metadata, webhooks: [{ name: "w", clientConfig: { caBundle: "QQ==" } }] },
    left: { metadata, webhooks: [{ name: "w", clientConfig: { caBundle: "QQ==" } }] },
  },
  {
    name: "drops a CA bundle that a controller injects",
    of: "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
    given: {
      metadata: { ...metadata, annotations: { "cert-manager.io/inject-ca-from": "a/b" } },
      webhooks: [{ name: "w", clientConfig: { url: "u", caBundle: "QQ==" } }],
    },
    left: {
      metadata: { ...metadata, annotations: { "cert-manager.io/inject-ca-from": "a/b" } },
      webhooks: [{ name: "w", clientConfig: { url: "u" } }],
    },
  },
  {
    name: "applies no core rule to another group's kind of the same name",
    of: "example.com/Service",
    given: { metadata, spec: { clusterIP: "10.0.0.1" } },
    left: { metadata, spec: { clusterIP: "10.0.0.1" } },
  },
  {
    name: "survives fields of types that no schema allows",
    of: "/Pod",
    given: {
      metadata: { annotations: [1], finalizers: "x", labels: null },
      spec: { volumes: { a: 1 }, containers: [null, 1, { volumeMounts: 3 }] },
    },
    left: {
      metadata: { annotations: [1], finalizers: "x", labels: null },
      spec: { volumes: { a: 1 }, containers: [null, 1, { volumeMounts: 3 }] },
    },
  },
];

describe("sanitizing", () => {
  for (const { name, of, given, left } of rows) {
    it(`${name} (${of})`, () => {
      const [group = "", kind = ""] = of.split("/");
      const { yaml } = manifestOf(Buffer.from(JSON.stringify(given)), { group, kind, secrets: simulatedSecrets });
      expect(parse(Buffer.from(yaml).toString())).toEqual(left);
    });
  }
});
