/** Reviews of updates to Deployments, about 5 KB each, as an API server writes them: reproducible from a seed. */

export function reviewBodies(seed: number, count: number): readonly Uint8Array[] {
  let state = seed >>> 0;
  const random = (): number => {
    // Numerical Recipes' congruential generator: good enough to vary texts.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  return Array.from({ length: count }, (_, index) => Buffer.from(JSON.stringify(review(index, random))));
}

function review(index: number, random: () => number): unknown {
  const hex = (): string => random().toString(16).padStart(8, "0");
  const uid = `${hex()}-8d02-46d4-8af7-${hex()}1234`;
  const group = { group: "apps", version: "v1" };
  const old = deployment(index, uid, "nginx:1.27");
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: `${hex()}-6393-11e8-b7cc-42010a800002`,
      kind: { ...group, kind: "Deployment" },
      resource: { ...group, resource: "deployments" },
      requestKind: { ...group, kind: "Deployment" },
      requestResource: { ...group, resource: "deployments" },
      name: `web-${index}`,
      namespace: "default",
      operation: "UPDATE",
      userInfo: {
        username: `user-${random() % 20}@example.com`,
        uid: hex(),
        groups: ["developers", "system:authenticated"],
        extra: { "authentication.kubernetes.io/credential-id": [`JTI=${hex()}`] },
      },
      object: deployment(index, uid, `nginx:1.${random() % 30}.${random() % 9}`),
      oldObject: old,
      dryRun: false,
      options: { kind: "UpdateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "kubectl-edit" },
    },
  };
}

function deployment(index: number, uid: string, image: string): unknown {
  const labels = { app: `web-${index}`, tier: "frontend" };
  return {
    kind: "Deployment",
    apiVersion: "apps/v1",
    metadata: {
      name: `web-${index}`,
      namespace: "default",
      uid,
      resourceVersion: String(100_000 + index),
      generation: 4,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels,
      annotations: { "deployment.kubernetes.io/revision": "4" },
      managedFields: [
        {
          manager: "kubectl-edit",
          operation: "Update",
          apiVersion: "apps/v1",
          time: "2026-01-01T00:00:00Z",
          fieldsType: "FieldsV1",
          fieldsV1: {
            "f:metadata": { "f:labels": { ".": {}, "f:app": {}, "f:tier": {} } },
            "f:spec": {
              "f:replicas": {},
              "f:template": { "f:spec": { "f:containers": { 'k:{"name":"web"}': { ".": {}, "f:image": {} } } } },
            },
          },
        },
      ],
    },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: { creationTimestamp: null, labels },
        spec: {
          containers: [
            {
              name: "web",
              image,
              ports: [{ containerPort: 8080, protocol: "TCP" }],
              env: [{ name: "LOG_LEVEL", value: "info" }],
              resources: { limits: { cpu: "1", memory: "256Mi" }, requests: { cpu: "100m", memory: "128Mi" } },
              terminationMessagePath: "/dev/termination-log",
              terminationMessagePolicy: "File",
              imagePullPolicy: "IfNotPresent",
            },
          ],
          restartPolicy: "Always",
          terminationGracePeriodSeconds: 30,
          dnsPolicy: "ClusterFirst",
          securityContext: {},
          schedulerName: "default-scheduler",
        },
      },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
    status: {
      observedGeneration: 4,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      conditions: [
        {
          type: "Available",
          status: "True",
          lastUpdateTime: "2026-01-01T00:00:00Z",
          lastTransitionTime: "2026-01-01T00:00:00Z",
          reason: "MinimumReplicasAvailable",
          message: "Deployment has minimum availability.",
        },
      ],
    },
  };
}
