/** Single objects of the API server as JSON: for what is kept there, and is no hot path. */

import type { ApiServer, HttpRequest } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { networkDetail, readWhole } from "./body.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** `refused`: any status but 2xx, 404 and 409; the message is the API server's. */
export type ObjectAnswer =
  | { readonly kind: "done"; readonly object: Readonly<Record<string, unknown>> }
  | { readonly kind: "absent" }
  | { readonly kind: "conflict" }
  | { readonly kind: "refused"; readonly status: number; readonly message: string };

const limitBytes = 4 * 1024 * 1024;

export class ApiObjects {
  readonly #api: ApiServer;

  constructor(api: ApiServer) {
    this.#api = api;
  }

  get(path: string, signal: AbortSignal): Promise<ObjectAnswer> {
    return this.#send({ method: "GET", path }, signal);
  }

  /** With metadata.resourceVersion in it, it is a compare-and-swap. */
  mergePatch(path: string, patch: object, signal: AbortSignal): Promise<ObjectAnswer> {
    return this.#send({ method: "PATCH", path, ...jsonBody(patch, "application/merge-patch+json") }, signal);
  }

  /** Throws `api-unreachable`, `api-answer-broken` or `api-answer-too-long`. */
  async #send(request: HttpRequest, signal: AbortSignal): Promise<ObjectAnswer> {
    const headers = { accept: "application/json", ...request.headers };
    const response = await this.#api.request({ ...request, headers }, signal).catch((cause: unknown) => {
      const message = `The API server does not answer ${request.method} ${request.path} (${networkDetail(cause)}).`;
      throw new KubescribeError("api-unreachable", message, { retry: "backoff", cause });
    });
    const object = objectOf(await readWhole(response.body, limitBytes));
    if (response.status >= 200 && response.status < 300) return { kind: "done", object };
    if (response.status === 404) return { kind: "absent" };
    if (response.status === 409) return { kind: "conflict" };
    const { message } = object;
    return { kind: "refused", status: response.status, message: typeof message === "string" ? message : "" };
  }
}

function jsonBody(
  value: object,
  type: string,
): Pick<HttpRequest, "body"> & { readonly headers: Record<string, string> } {
  return { body: Buffer.from(JSON.stringify(value)), headers: { "content-type": type } };
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    // A proxy's page: the status says all that is to be known.
    return {};
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
