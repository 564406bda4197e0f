/** Reads the API server's discovery documents, aggregated (1.26 and later) or one by one. No hot path: they are parsed. */

/** One served version of a type. */
export interface ServedVersion {
  readonly version: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Has a `/scale` subresource. */
  readonly scalable: boolean;
  readonly verbs: readonly string[];
  /** `status`, `scale`, ... */
  readonly subresources: readonly string[];
}

/** A type with every version it is served in, the API's preferred one first. */
export interface ServedType {
  readonly group: string;
  readonly resource: string;
  readonly versions: readonly ServedVersion[];
}

export interface GroupResources {
  readonly group: string;
  readonly version: string;
  /** False: the server behind it does not answer, and nothing follows from what is not there. */
  readonly current: boolean;
  readonly resources: readonly (ServedVersion & { readonly resource: string })[];
}

/** In the order of preference. Null: not an aggregated document. */
export function readAggregated(text: string): readonly GroupResources[] | null {
  const document = JSON.parse(text) as Json;
  if (document["kind"] !== "APIGroupDiscoveryList") return null;
  return list(document["items"]).flatMap((group) =>
    list(group["versions"]).map((version) => ({
      group: textOf(object(group["metadata"])["name"]),
      version: textOf(version["version"]),
      current: version["freshness"] !== "Stale",
      resources: list(version["resources"]).map((resource) => readAggregatedResource(version, resource)),
    })),
  );
}

function readAggregatedResource(version: Json, resource: Json): GroupResources["resources"][number] {
  const subresources = list(resource["subresources"]).map((one) => textOf(one["subresource"]));
  return {
    resource: textOf(resource["resource"]),
    version: textOf(version["version"]),
    kind: textOf(object(resource["responseKind"])["kind"]),
    namespaced: resource["scope"] === "Namespaced",
    scalable: subresources.includes("scale"),
    verbs: strings(resource["verbs"]),
    subresources,
  };
}

/** `/api` (versions) or `/apis` (groups), in the order of preference. */
export function readGroupVersions(text: string): readonly { readonly group: string; readonly version: string }[] {
  const document = JSON.parse(text) as Json;
  if (document["kind"] === "APIVersions")
    return strings(document["versions"]).map((version) => ({ group: "", version }));
  return list(document["groups"]).flatMap((group) => {
    const preferred = textOf(object(group["preferredVersion"])["version"]);
    const versions = list(group["versions"]).map((version) => textOf(version["version"]));
    const ordered = [...versions.filter((one) => one === preferred), ...versions.filter((one) => one !== preferred)];
    return ordered.map((version) => ({ group: textOf(group["name"]), version }));
  });
}

/** `/api/v1`, `/apis/apps/v1`. */
export function readResourceList(
  text: string,
  at: { readonly group: string; readonly version: string },
): GroupResources {
  const resources = list((JSON.parse(text) as Json)["resources"]);
  const subresourcesOf = (name: string): readonly string[] =>
    resources.flatMap((one) =>
      textOf(one["name"]).startsWith(`${name}/`) ? [textOf(one["name"]).slice(name.length + 1)] : [],
    );
  return {
    ...at,
    current: true,
    resources: resources
      .filter((one) => !textOf(one["name"]).includes("/"))
      .map((one) => {
        const resource = textOf(one["name"]);
        const subresources = subresourcesOf(resource);
        return {
          resource,
          version: at.version,
          kind: textOf(one["kind"]),
          namespaced: one["namespaced"] === true,
          scalable: subresources.includes("scale"),
          verbs: strings(one["verbs"]),
          subresources,
        };
      }),
  };
}

type Json = Readonly<Record<string, unknown>>;

function object(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
