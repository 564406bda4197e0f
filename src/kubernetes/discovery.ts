/** Which types the API server serves. It owns the last answers and their ETags: an unchanged server is asked cheaply. */

import type { ApiServer, HttpResponse } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { typeKeyOf } from "../../machines/messages.ts";
import type { ResourceType } from "../../machines/messages.ts";
import { networkDetail, readWhole } from "./body.ts";
import { adviceOnSilence, adviceOnStatus } from "./reach-advice.ts";
import { readAggregated, readGroupVersions, readResourceList } from "./discovery-documents.ts";
import type { GroupResources, ServedType, ServedVersion } from "./discovery-documents.ts";

/** Of one document: some 100 CRDs make 1 MB. */
const maxDocumentBytes = 64 * 1024 * 1024;
const aggregated = ["v2", "v2beta1"].map(
  (v) => `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`,
);
const accept = [...aggregated, "application/json"].join(",");

export interface Served {
  /** Watchable types. */
  readonly types: readonly ServedType[];
  /** Whether a type that is not among `types` may be there all the same: the server of its group does not answer. */
  readonly uncertain: (group: string) => boolean;
}

interface Cached {
  readonly etag: string;
  readonly groups: readonly GroupResources[];
}

export class Discovery {
  readonly #api: ApiServer;
  readonly #cached = new Map<string, Cached>();

  constructor(api: ApiServer) {
    this.#api = api;
  }

  /** Throws `discovery-failed` (retry: backoff). */
  async read(signal: AbortSignal): Promise<Served> {
    const core = await this.#readRoot("/api", signal);
    const groups = await this.#readRoot("/apis", signal);
    return servedBy([...core, ...groups]);
  }

  async #readRoot(path: string, signal: AbortSignal): Promise<readonly GroupResources[]> {
    const cached = this.#cached.get(path);
    const headers = { accept, ...(cached === undefined ? {} : { "if-none-match": cached.etag }) };
    const response = await this.#ask(path, headers, signal);
    const text = await readWhole(response.body, maxDocumentBytes);
    if (response.status === 304 && cached !== undefined) return cached.groups;
    if (response.status !== 200)
      throw failed(path, `status ${response.status}`, adviceOnStatus(response.status, right(path)));
    const groups = parsed(path, () => readAggregated(text)) ?? (await this.#readEach(path, text, signal));
    const etag = response.headers["etag"] ?? "";
    if (etag !== "" && groups.every((group) => group.current)) this.#cached.set(path, { etag, groups });
    else this.#cached.delete(path);
    return groups;
  }

  /** Servers before 1.26: a request for each group and version. */
  async #readEach(path: string, text: string, signal: AbortSignal): Promise<readonly GroupResources[]> {
    const groups: GroupResources[] = [];
    for (const at of parsed(path, () => readGroupVersions(text))) {
      const each = at.group === "" ? `${path}/${at.version}` : `${path}/${at.group}/${at.version}`;
      const response = await this.#ask(each, { accept: "application/json" }, signal);
      const body = await readWhole(response.body, maxDocumentBytes);
      if (response.status === 200) groups.push(parsed(each, () => readResourceList(body, at)));
      else if (response.status !== 404) groups.push({ ...at, current: false, resources: [] });
    }
    return groups;
  }

  async #ask(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpResponse> {
    try {
      return await this.#api.request({ method: "GET", path, headers }, signal);
    } catch (error) {
      throw failed(path, networkDetail(error), adviceOnSilence(networkDetail(error)), error);
    }
  }
}

/** The preferred one of the versions that `wanted` names; null: none of them is served. */
export function resourceTypeOf(type: ServedType, wanted: (version: string) => boolean): ResourceType | null {
  const { group, resource } = type;
  const served = type.versions.find(({ version }) => wanted(version));
  if (served === undefined) return null;
  const { version, kind, namespaced, scalable } = served;
  return { key: typeKeyOf(group, resource), group, version, resource, kind, namespaced, scalable };
}

function servedBy(groups: readonly GroupResources[]): Served {
  const types = new Map<string, { group: string; resource: string; versions: ServedVersion[] }>();
  const stale = new Set<string>();
  for (const { group, current, resources } of groups) {
    if (!current) stale.add(group);
    for (const { resource, ...version } of resources) {
      if (!version.verbs.includes("watch") || !version.verbs.includes("list")) continue;
      const key = typeKeyOf(group, resource);
      const known = types.get(key);
      if (known === undefined) types.set(key, { group, resource, versions: [version] });
      else known.versions.push(version);
    }
  }
  return { types: [...types.values()], uncertain: (group) => stale.has(group) };
}

function parsed<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw failed(path, "the answer is no JSON", adviceOnStatus(200, ""), error);
  }
}

function right(path: string): string {
  return `Let this user read ${path} (the role system:discovery).`;
}

function failed(path: string, found: string, advice: string, cause?: unknown): KubescribeError {
  return new KubescribeError(
    "discovery-failed",
    `The API server does not say which types it serves: ${found} at ${path}. ${advice}`,
    { retry: "backoff", ...(cause === undefined ? {} : { cause }) },
  );
}
