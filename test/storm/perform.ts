/** One planned request, carried out: what is sent for each action. Reads first where a real client would. */

import type { ApiRequest, ApiResponse, JsonObject } from "../controlplane/api-client.ts";
import { collectionPath, hold, markerPrefix, type StormKind } from "./kinds.ts";
import type { PlannedRequest } from "./plan.ts";

export interface Sender {
  send(request: Omit<ApiRequest, "token">): Promise<ApiResponse>;
}

interface Held {
  readonly metadata: JsonObject & { readonly resourceVersion: string; readonly uid: string };
  readonly spec?: JsonObject;
}

const json = { "content-type": "application/json" };
const mergePatch = { "content-type": "application/merge-patch+json" };
const jsonPatch = { "content-type": "application/json-patch+json" };
const applyPatch = { "content-type": "application/apply-patch+yaml" };

/** Objects read before, by any user: what stale writes and owner references are made of. At most one for each name. */
export class Memory {
  readonly #held = new Map<string, Held>();

  keep(kind: StormKind, name: string, object: Held): void {
    this.#held.set(`${kind.resource}/${name}`, object);
  }

  recall(kind: { readonly resource: string }, name: string): Held | undefined {
    return this.#held.get(`${kind.resource}/${name}`);
  }
}

export class Performer {
  readonly #sender: Sender;
  readonly #memory: Memory;

  constructor(sender: Sender, memory: Memory) {
    this.#sender = sender;
    this.#memory = memory;
  }

  /** The status of the write; 0 where a read before it found nothing, and nothing was written. */
  async perform(planned: PlannedRequest): Promise<number> {
    const { action, kind, marker } = planned;
    switch (action) {
      case "create":
        return this.#write(planned, "POST", collectionPath(kind), this.#body(planned));
      case "generate":
        return this.#write(planned, "POST", collectionPath(kind), this.#body(planned, { generateName: "made-" }));
      case "put":
        return kind.blindPut
          ? this.#write(planned, "PUT", pathOf(planned), this.#body(planned))
          : this.#replace(planned, await this.#read(planned));
      case "replace":
        return this.#replace(planned, await this.#read(planned));
      case "stale":
        return this.#replace(planned, this.#memory.recall(kind, planned.name));
      case "merge":
        return this.#patch(planned, mergePatch, marked(marker, contentOf(planned)));
      case "json":
        return this.#patch(planned, jsonPatch, jsonPatchOf(planned));
      case "forcedApply":
      case "apply":
        return this.#apply(planned);
      case "unmarked":
        return this.#patch(planned, mergePatch, kind.content(Math.floor(planned.draw * 3), replicasOf(planned)));
      case "scale":
        return this.#scale(planned);
      case "status":
        return this.#patch(planned, mergePatch, marked(marker, { status: kind.status ?? {} }), "/status");
      case "finalize":
        return this.#patch(planned, mergePatch, marked(marker, {}, { finalizers: [hold] }));
      case "release":
        return this.#patch(
          planned,
          mergePatch,
          planned.draw < 0.5 ? marked(marker, {}, { finalizers: null }) : { metadata: { finalizers: null } },
        );
      case "remove":
        return this.#remove(planned);
      case "removeAll":
        return this.#write(planned, "DELETE", collectionPath(kind), undefined, {
          query: `&labelSelector=shard%3D${planned.draw < 0.5 ? "a" : "b"}`,
        });
      case "noop":
        return this.#noop(planned);
      default:
        return action satisfies never;
    }
  }

  #body(planned: PlannedRequest, naming: JsonObject = { name: planned.name }): JsonObject {
    const { kind, marker, draw } = planned;
    const owner =
      kind.namespaced && draw > 0.8 ? this.#memory.recall({ resource: "deployments" }, planned.name) : undefined;
    return {
      ...headOf(kind),
      metadata: {
        ...naming,
        labels: { shard: draw < 0.5 ? "a" : "b" },
        annotations: { [markerPrefix]: marker },
        ...(owner === undefined || kind.kind === "Deployment"
          ? {}
          : {
              ownerReferences: [
                {
                  apiVersion: "apps/v1",
                  kind: "Deployment",
                  name: planned.name,
                  uid: owner.metadata.uid,
                  blockOwnerDeletion: true,
                },
              ],
            }),
      },
      ...contentOf(planned),
    };
  }

  async #replace(planned: PlannedRequest, held: Held | undefined): Promise<number> {
    if (held === undefined) return 0;
    const annotations = { ...(held.metadata["annotations"] as JsonObject | undefined), [markerPrefix]: planned.marker };
    const content = contentOf(planned);
    const spec = held.spec === undefined ? {} : { spec: { ...held.spec, ...(content["spec"] as JsonObject) } };
    const body = { ...held, ...content, ...spec, ...headOf(planned.kind), metadata: { ...held.metadata, annotations } };
    return this.#write(planned, "PUT", pathOf(planned), body);
  }

  async #apply(planned: PlannedRequest): Promise<number> {
    const { kind, marker, draw } = planned;
    const [user = ""] = marker.split("/");
    const forced = planned.action === "forcedApply";
    const annotations = { [`${markerPrefix}-${user}`]: marker };
    const content = forced || draw < 0.4 ? contentOf(planned) : {};
    const body = { ...headOf(kind), metadata: { name: planned.name, annotations }, ...content };
    return this.#write({ ...planned, fieldManager: user }, "PATCH", pathOf(planned), body, {
      headers: applyPatch,
      query: `&force=${forced}`,
    });
  }

  async #scale(planned: PlannedRequest): Promise<number> {
    const spec = { replicas: replicasOf(planned) };
    if (planned.draw * 10 - Math.floor(planned.draw * 10) < 0.6)
      return this.#patch(planned, mergePatch, { spec }, "/scale");
    const scale = await this.#read(planned, "/scale");
    return scale === undefined ? 0 : this.#write(planned, "PUT", `${pathOf(planned)}/scale`, { ...scale, spec });
  }

  async #remove(planned: PlannedRequest): Promise<number> {
    const { draw } = planned;
    const policies = ["Background", "Foreground", "Orphan", null, null];
    const policy = policies[Math.floor(draw * policies.length)] ?? null;
    const held = draw * 100 - Math.floor(draw * 100) < 0.2 ? await this.#read(planned) : undefined;
    const preconditions =
      held === undefined
        ? {}
        : { preconditions: { uid: held.metadata.uid, resourceVersion: held.metadata.resourceVersion } };
    return this.#write(planned, "DELETE", pathOf(planned), {
      apiVersion: "v1",
      kind: "DeleteOptions",
      // With a body the API server does not read these options from the query.
      ...(planned.dryRun ? { dryRun: ["All"] } : {}),
      ...(policy === null ? {} : { propagationPolicy: policy }),
      ...preconditions,
    });
  }

  async #noop(planned: PlannedRequest): Promise<number> {
    const held = await this.#read(planned);
    return held === undefined ? 0 : this.#write(planned, "PUT", pathOf(planned), held);
  }

  async #read(planned: PlannedRequest, subresource = ""): Promise<Held | undefined> {
    const read = await this.#sender.send({ method: "GET", path: `${pathOf(planned)}${subresource}` });
    if (read.status !== 200) return undefined;
    const held = read.json() as unknown as Held;
    if (subresource === "") this.#memory.keep(planned.kind, planned.name, held);
    return held;
  }

  #patch(
    planned: PlannedRequest,
    headers: Readonly<Record<string, string>>,
    body: object,
    subresource = "",
  ): Promise<number> {
    return this.#write(planned, "PATCH", `${pathOf(planned)}${subresource}`, body, { headers });
  }

  async #write(
    { dryRun, fieldManager }: PlannedRequest,
    method: string,
    path: string,
    body: object | undefined,
    more: { readonly headers?: Readonly<Record<string, string>>; readonly query?: string } = {},
  ): Promise<number> {
    const manager = method === "DELETE" ? "" : `&fieldManager=${fieldManager}`;
    const query = `${dryRun ? "&dryRun=All" : ""}${manager}${more.query ?? ""}`.replace("&", "?");
    const headers = more.headers ?? json;
    return (await this.#sender.send({ method, path: `${path}${query}`, body, headers })).status;
  }
}

function pathOf({ kind, name }: PlannedRequest): string {
  return `${collectionPath(kind)}/${name}`;
}

function headOf({ group, version, kind }: StormKind): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: group === "" ? version : `${group}/${version}`, kind };
}

function contentOf(planned: PlannedRequest): JsonObject {
  return planned.kind.content(Math.floor(planned.draw * 1000), replicasOf(planned));
}

function replicasOf({ draw }: PlannedRequest): number {
  return Math.floor(draw * 997) % 4;
}

function marked(marker: string, content: object, metadata: object = {}): object {
  return { metadata: { annotations: { [markerPrefix]: marker }, ...metadata }, ...content };
}

function jsonPatchOf(planned: PlannedRequest): object {
  const content = contentOf(planned);
  const pointer = markerPrefix.replaceAll("~", "~0").replaceAll("/", "~1");
  return [
    { op: "add", path: `/metadata/annotations/${pointer}`, value: planned.marker },
    ...(planned.draw < 0.5 || planned.kind.kind === "Secret"
      ? []
      : Object.entries(content).flatMap(([field, value]) =>
          field === "spec" ? [] : [{ op: "replace", path: `/${field}`, value }],
        )),
  ];
}
