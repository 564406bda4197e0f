/** An API server with a few objects: what is read and written by name, with versions, generations and conflicts. */

import type { ApiServer, HttpRequest, HttpResponse } from "../../actors/ports.ts";
import { reachWarning } from "../../machines/webhook-credentials.ts";
import { type JsonObject, objectOf } from "../../src/webhook/json-value.ts";

export const secretPath = "/api/v1/namespaces/kubescribe-system/secrets/kubescribe-webhook";
export const configurationPath = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/kubescribe";

export const leasePath = "/apis/coordination.k8s.io/v1/namespaces/kubescribe-system/leases/kubescribe";

type Outcome = { readonly status: number; readonly document: JsonObject };

export class FakeCluster implements ApiServer {
  /** `GET PATH` and so on. */
  readonly requests: string[] = [];
  readonly #objects = new Map<string, JsonObject>();
  /** Answers instead of the cluster, where it gives an answer. An error: the network. */
  refuse: (request: HttpRequest) => number | Error | null = () => null;
  /** Called when a write is done, before it is answered. */
  written: (request: HttpRequest) => void = () => undefined;
  /** Reviews arrive: a probe is answered with a warning, where the configuration asks for its review. */
  reachable = true;
  #version = 100;

  request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    this.requests.push(`${request.method} ${request.path}`);
    if (signal.aborted) return Promise.reject(new Error("aborted"));
    const refused = this.refuse(request);
    if (refused instanceof Error) return Promise.reject(refused);
    const outcome = refused === null ? this.#answer(request) : failure(refused, "refused");
    const isProbe = request.path.includes("dryRun");
    if (request.method !== "GET" && !isProbe && outcome.status < 300) this.written(request);
    const isAsked = JSON.stringify(this.#objects.get(configurationPath) ?? {}).includes('/reach"');
    const headers: Record<string, string> =
      isProbe && isAsked && this.reachable ? { warning: `299 - "${reachWarning}"` } : {};
    return Promise.resolve({ status: outcome.status, headers, body: bodyOf(outcome.document) });
  }

  get(path: string): JsonObject | null {
    return this.#objects.get(path) ?? null;
  }

  /** Writes as somebody else would: nothing is compared. */
  put(path: string, document: JsonObject): void {
    this.#store(path, document);
  }

  edit(path: string, change: (document: JsonObject) => JsonObject): void {
    this.#store(path, change(this.#objects.get(path) ?? {}));
  }

  remove(path: string): void {
    this.#objects.delete(path);
  }

  /** How many writes there were of one kind: `PUT`, `PATCH`. */
  count(method: string, path: string): number {
    return this.requests.filter((each) => each.startsWith(`${method} ${path}`)).length;
  }

  #answer({ method, path, body }: HttpRequest): Outcome {
    const [at = ""] = path.split("?");
    const found = this.#objects.get(at);
    if (method === "GET") return found === undefined ? failure(404, "not found") : { status: 200, document: found };
    const sent = objectOf(JSON.parse(Buffer.from(body ?? new Uint8Array()).toString()));
    if (path.includes("dryRun")) {
      return found === undefined ? failure(404, "not found") : { status: 200, document: { ...found, ...sent } };
    }
    if (method === "PATCH") {
      const merged = found === undefined ? sent : { ...found, ...sent, metadata: found["metadata"] };
      return { status: found === undefined ? 201 : 200, document: this.#store(at, merged) };
    }
    if (found === undefined) return failure(404, "not found");
    if (versionOf(sent) !== versionOf(found)) return failure(409, "the object has been modified");
    return { status: 200, document: this.#store(at, sent) };
  }

  #store(path: string, document: JsonObject): JsonObject {
    const last = this.#objects.get(path);
    const { metadata: lastMetadata, ...lastRest } = last ?? {};
    const { metadata, ...rest } = document;
    const was = objectOf(lastMetadata);
    const isChanged = JSON.stringify(rest) !== JSON.stringify(lastRest);
    if (last !== undefined && !isChanged && JSON.stringify(metadata) === JSON.stringify(lastMetadata)) return last;
    this.#version += 1;
    const stored = {
      ...rest,
      metadata: {
        ...objectOf(metadata),
        uid: last === undefined ? `uid-${this.#version}` : was["uid"],
        resourceVersion: String(this.#version),
        generation: last === undefined ? 1 : Number(was["generation"]) + (isChanged ? 1 : 0),
      },
    };
    this.#objects.set(path, stored);
    return stored;
  }
}

function versionOf(document: JsonObject): unknown {
  return objectOf(document["metadata"])["resourceVersion"];
}

function failure(status: number, message: string): Outcome {
  return { status, document: { kind: "Status", message } };
}

async function* bodyOf(document: JsonObject): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(Buffer.from(JSON.stringify(document)));
}
