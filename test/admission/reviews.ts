/** Reviews as a real API server writes them. */

type Json = Readonly<Record<string, unknown>>;

export interface ReviewParts {
  readonly operation?: string;
  readonly resource?: Json;
  readonly subResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly userInfo?: Json;
  readonly object?: Json | null;
  readonly oldObject?: Json | null;
  readonly dryRun?: boolean;
  readonly options?: Json | null;
}

export const configMap = (resourceVersion: string | undefined, data: Json = { a: "1" }): Json => ({
  kind: "ConfigMap",
  apiVersion: "v1",
  metadata: {
    name: "settings",
    namespace: "shop",
    uid: "4be52ede",
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  },
  data,
});

/** An UPDATE by alice, but for what `parts` say. Absent parts are left out as the API server does. */
export function reviewOf(parts: ReviewParts = {}): Json {
  const { subResource, ...rest } = parts;
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
      kind: { group: "", version: "v1", kind: "ConfigMap" },
      resource: { group: "", version: "v1", resource: "configmaps" },
      ...(subResource === undefined ? {} : { subResource }),
      requestKind: { group: "", version: "v1", kind: "ConfigMap" },
      requestResource: { group: "", version: "v1", resource: "configmaps" },
      name: "settings",
      namespace: "shop",
      operation: "UPDATE",
      userInfo: { username: "alice@example.com", groups: ["system:authenticated"] },
      object: configMap("7", { a: "2" }),
      oldObject: configMap("7"),
      dryRun: false,
      options: { kind: "UpdateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "kubectl-edit" },
      ...rest,
    },
  };
}

export function bytesOf(review: Json): Buffer {
  return Buffer.from(JSON.stringify(review));
}
