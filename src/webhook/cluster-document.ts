/**
 * One object of the cluster, read and written by its name. It owns nothing.
 *
 * D1 What is written stands on what was read: somebody who was faster wins, and the writer reads again.
 * D2 Rights on that one name are enough. A POST cannot be granted by name, so what is missing is made by server-side apply, which the
 *    API server allows to whoever may create and patch that name.
 */

import type { ApiServer, Clock, HttpRequest } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { type JsonObject, objectOf, textOf } from "./json-value.ts";

export interface DocumentPlace {
  readonly apiVersion: string;
  readonly kind: string;
  /** Of the collection: `/api/v1/namespaces/default/secrets`. */
  readonly collection: string;
  readonly name: string;
}

/** etcd takes no more in one object. */
const maxAnswerBytes = 4 * 1024 * 1024;
/** An API server that is slower than this is asked again. */
const patienceMs = 10_000;
const maxDetailLength = 300;

export class ClusterDocument {
  readonly #api: ApiServer;
  readonly #clock: Clock;
  readonly #place: DocumentPlace;

  constructor(ports: { readonly api: ApiServer; readonly clock: Clock }, place: DocumentPlace) {
    this.#api = ports.api;
    this.#clock = ports.clock;
    this.#place = place;
  }

  /** Null: there is none. Throws `webhook-api` (try again) or `webhook-forbidden`. */
  async read(signal: AbortSignal): Promise<JsonObject | null> {
    const answer = await this.#ask({ method: "GET", path: this.#path }, signal);
    if (answer.status === 404) return null;
    return this.#accepted("get", answer);
  }

  /** `document` is what was read, with changes. Null: somebody else was faster (D1). Throws as `read` does. */
  async replace(document: JsonObject, signal: AbortSignal): Promise<JsonObject | null> {
    const answer = await this.#ask({ method: "PUT", path: this.#path, ...bodyOf(document) }, signal);
    if (answer.status === 409 || answer.status === 404) return null;
    return this.#accepted("update", answer);
  }

  /** `fields` without apiVersion, kind and name. Null: somebody else was faster. Throws as `read` does. */
  async create(fields: JsonObject, signal: AbortSignal): Promise<JsonObject | null> {
    const { apiVersion, kind, name } = this.#place;
    const document = { ...fields, apiVersion, kind, metadata: { ...objectOf(fields["metadata"]), name } };
    const path = `${this.#path}?fieldManager=kubescribe`;
    const answer = await this.#ask({ method: "PATCH", path, ...bodyOf(document, applyType) }, signal);
    if (answer.status === 409) return null;
    return this.#accepted("create and patch", answer);
  }

  get #path(): string {
    return `${this.#place.collection}/${this.#place.name}`;
  }

  async #ask(request: HttpRequest, signal: AbortSignal): Promise<Answer> {
    const late = new AbortController();
    using _timer = this.#clock.after(patienceMs, () => {
      late.abort();
    });
    try {
      const headers = { accept: "application/json", ...request.headers };
      const response = await this.#api.request({ ...request, headers }, AbortSignal.any([signal, late.signal]));
      return { status: response.status, document: await readJson(response.body) };
    } catch (cause) {
      const code = cause instanceof Error ? ("code" in cause ? String(cause.code) : cause.name) : "an error";
      const found = late.signal.aborted ? `nothing within ${patienceMs} ms` : code;
      throw new KubescribeError(
        "webhook-api",
        `${this.#said} cannot be ${request.method === "GET" ? "read" : "written"}: expected an answer of the API server, found ${found}. It is tried again.`,
        { retry: "backoff", cause },
      );
    }
  }

  #accepted(verb: string, { status, document }: Answer): JsonObject {
    if (status === 200 || status === 201) return document;
    const detail = textOf(document["message"]).slice(0, maxDetailLength);
    if (status === 403) {
      throw new KubescribeError(
        "webhook-forbidden",
        `${this.#said} is out of reach: expected the right to ${verb} it, found status 403 (${detail}). Apply what "kubescribe install" prints: it makes it, and grants by name what is needed.`,
        { retry: "backoff" },
      );
    }
    throw new KubescribeError(
      "webhook-api",
      `${this.#said}: expected to ${verb} it, found status ${status} (${detail}). It is tried again.`,
      { retry: "backoff" },
    );
  }

  get #said(): string {
    return `The ${this.#place.kind} ${this.#place.name}`;
  }
}

const applyType = "application/apply-patch+yaml";

interface Answer {
  readonly status: number;
  readonly document: JsonObject;
}

function bodyOf(document: JsonObject, type = "application/json"): Pick<HttpRequest, "body" | "headers"> {
  return { body: Buffer.from(JSON.stringify(document)), headers: { "content-type": type } };
}

/** An answer that is no JSON says as much as an empty one. */
async function readJson(body: AsyncIterable<Uint8Array>): Promise<JsonObject> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    // A chunk is valid only until the next one.
    pieces.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > maxAnswerBytes) throw new RangeError("too long");
  }
  try {
    return objectOf(JSON.parse(Buffer.concat(pieces).toString("utf8")));
  } catch {
    return {};
  }
}
