/** Asks a cluster for what `install --check` looks at, as plain JSON. Nothing is written but access reviews, which the server keeps nowhere. */

import type { ApiServer } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { networkDetail, readWhole } from "../kubernetes/body.ts";
import { adviceOnSilence } from "../kubernetes/reach-advice.ts";

export interface Inquiry {
  readonly get: (path: string) => Promise<Answer>;
  /** Is an object there? Its content never leaves the server. Null: the server does not tell. */
  readonly isThere: (path: string) => Promise<boolean | null>;
  /** Null: the server does not tell. `user` empty: whoever asks. */
  readonly may: (access: Access, user: string) => Promise<boolean | null>;
}

export interface Answer {
  readonly status: number;
  readonly body: Json;
}

export interface Access {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** JSON of the API server, whatever it holds: asked for a member, it has one or not. */
export class Json {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }

  at(...keys: readonly (string | number)[]): Json {
    let value = this.value;
    for (const key of keys) {
      const own = typeof value === "object" && value !== null && Object.hasOwn(value, key);
      value = own ? (value as Readonly<Record<string | number, unknown>>)[key] : undefined;
    }
    return new Json(value);
  }

  /** Empty where there is none. */
  get text(): string {
    return typeof this.value === "string" ? this.value : "";
  }

  /** Zero where there is none. */
  get number(): number {
    return typeof this.value === "number" ? this.value : 0;
  }

  get items(): readonly Json[] {
    return Array.isArray(this.value) ? this.value.map((item: unknown) => new Json(item)) : [];
  }
}

const maxAnswerBytes = 64 * 1024 * 1024;
const json = "application/json";
const metadataOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

export function inquiryOf(api: ApiServer, signal: AbortSignal): Inquiry {
  async function ask(method: "GET" | "POST", path: string, body?: object, accept = json): Promise<Answer> {
    const headers = { accept, "content-type": json };
    const sent = body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) };
    const response = await api.request({ method, path, headers, ...sent }, signal).catch((cause: unknown) => {
      const code = networkDetail(cause);
      throw new KubescribeError(
        "cluster-unreachable",
        `The API server does not answer (${code}). ${adviceOnSilence(code)}`,
        { retry: "backoff", cause },
      );
    });
    const text = await readWhole(response.body, maxAnswerBytes);
    return { status: response.status, body: new Json(parsed(text)) };
  }
  return {
    get: (path) => ask("GET", path),
    isThere: async (path) => {
      const { status } = await ask("GET", path, undefined, metadataOnly);
      return status === 404 ? false : status === 200 ? true : null;
    },
    may: async (access, user) => {
      const kind = user === "" ? "SelfSubjectAccessReview" : "SubjectAccessReview";
      const spec = { resourceAttributes: access, ...(user === "" ? {} : { user, groups: groupsOf(user) }) };
      const review = { apiVersion: "authorization.k8s.io/v1", kind, spec };
      const path = `/apis/authorization.k8s.io/v1/${kind.toLowerCase()}s`;
      const { status, body } = await ask("POST", path, review);
      return status === 201 ? body.at("status", "allowed").value === true : null;
    },
  };
}

/** Rights may be given to groups that every service account is in. */
function groupsOf(user: string): readonly string[] {
  const namespace = user.split(":")[2] ?? "";
  return ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not JSON: an answer of something else than an API server. Its status says what there is to say.
    return undefined;
  }
}
