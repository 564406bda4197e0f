/** What is done to each object of the table, each step by a user of its own, and what the API server said to it. */

import type { JsonObject } from "../controlplane/api-client.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { pathOf, type Subject } from "./types-catalogue.ts";

export const operations = ["create", "put", "replace", "patch", "apply", "status", "scale", "delete"] as const;
export type Operation = (typeof operations)[number];

export interface Attempt {
  readonly subject: Subject;
  readonly operation: Operation;
  readonly user: string;
  readonly fieldManager: string;
  readonly outcome:
    | { readonly kind: "written"; readonly uid: string; readonly resourceVersion: string }
    /** Answered well, and the object is as it was before. */
    | { readonly kind: "unchanged" }
    | { readonly kind: "refused"; readonly status: number; readonly message: string };
}

const concurrentSubjects = 6;
const conflictRetries = 8;
const userCount = 20;
const mark = "kubescribe.dev/written-by";

/** All but the deletions, object by object, several objects at a time. */
export async function writeAll(plane: ControlPlane, subjects: readonly Subject[]): Promise<readonly Attempt[]> {
  return eachOf(subjects, (subject, index) => new Writer(plane, subject, index).writes());
}

export async function deleteAll(plane: ControlPlane, created: readonly Attempt[]): Promise<readonly Attempt[]> {
  return eachOf(created, ({ subject }, index) => new Writer(plane, subject, index).deletes());
}

async function eachOf<T>(
  items: readonly T[],
  run: (item: T, index: number) => Promise<readonly Attempt[]>,
): Promise<readonly Attempt[]> {
  const attempts: (readonly Attempt[])[] = [];
  const queue = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) attempts[index] = await run(item, index);
  };
  await Promise.all(Array.from({ length: concurrentSubjects }, work));
  return attempts.flat();
}

class Writer {
  readonly #plane: ControlPlane;
  readonly #subject: Subject;
  readonly #index: number;
  readonly #path: string;
  #last = { uid: "", resourceVersion: "" };

  constructor(plane: ControlPlane, subject: Subject, index: number) {
    this.#plane = plane;
    this.#subject = subject;
    this.#index = index;
    this.#path = pathOf(subject, subject.manifest.metadata.name);
  }

  async writes(): Promise<readonly Attempt[]> {
    const { manifest, subresources } = this.#subject;
    const attempts = [await this.#send("create", "POST", () => this.#marked(manifest, "create"))];
    if (attempts[0]?.outcome.kind !== "written") return attempts;
    attempts.push(
      await this.#send("put", "PUT", async () => this.#marked(await this.#read(), "put")),
      await this.#send("replace", "PUT", async () => {
        const { resourceVersion } = answeredOf(await this.#read()).metadata;
        const replaced = { ...manifest, metadata: { ...manifest.metadata, resourceVersion } };
        return this.#marked(replaced, "replace");
      }),
      await this.#send("patch", "PATCH", () => this.#annotations("patch")),
      await this.#send("apply", "PATCH", () => this.#marked(manifest, "apply")),
    );
    if (subresources.includes("status"))
      attempts.push(await this.#send("status", "PATCH", () => this.#annotations("status")));
    if (subresources.includes("scale"))
      attempts.push(await this.#send("scale", "PATCH", () => ({ spec: { replicas: 5 } })));
    return attempts;
  }

  async deletes(): Promise<readonly Attempt[]> {
    const { uid } = answeredOf(await this.#read()).metadata;
    const user = this.#user("delete");
    const answer = await this.#plane.request(user, "DELETE", this.#path);
    const outcome =
      answer.status < 300
        ? ({ kind: "written", uid, resourceVersion: "" } as const)
        : ({ kind: "refused", status: answer.status, message: answeredOf(answer.json()).message } as const);
    return [{ subject: this.#subject, operation: "delete", user, fieldManager: "", outcome }];
  }

  async #send(
    operation: Operation,
    method: "POST" | "PUT" | "PATCH",
    bodyOf: () => JsonObject | Promise<JsonObject>,
  ): Promise<Attempt> {
    const user = this.#user(operation);
    const fieldManager = `${operation}-manager`;
    const path = `${method === "POST" ? pathOf(this.#subject) : this.#path}${
      operation === "status" || operation === "scale" ? `/${operation}` : ""
    }?fieldManager=${fieldManager}&fieldValidation=Strict${operation === "apply" ? "&force=true" : ""}`;
    const headers = operation === "apply" ? { "content-type": "application/apply-patch+yaml" } : {};
    for (let retries = 0; ; retries += 1) {
      const answer = await this.#plane.request(user, method, path, await bodyOf(), { headers });
      // The API server itself writes the status of some types.
      if (answer.status === 409 && retries < conflictRetries) continue;
      return {
        subject: this.#subject,
        operation,
        user,
        fieldManager,
        outcome:
          answer.status < 300
            ? this.#outcomeOf(answer.json(), operation)
            : { kind: "refused", status: answer.status, message: answeredOf(answer.json()).message },
      };
    }
  }

  #outcomeOf(object: JsonObject, operation: Operation): Attempt["outcome"] {
    const { uid, resourceVersion, annotations } = answeredOf(object).metadata;
    const written = { uid, resourceVersion };
    const before = this.#last;
    this.#last = written;
    // A status write may move the version and leave the metadata alone.
    const marked = annotations?.[mark] === operation;
    const changed = operation === "scale" || marked;
    return changed && before.resourceVersion !== written.resourceVersion
      ? { kind: "written", ...written }
      : { kind: "unchanged" };
  }

  async #read(): Promise<JsonObject> {
    const answer = await this.#plane.request("admin", "GET", this.#path);
    if (answer.status !== 200) throw new Error(`${this.#path} cannot be read: ${answer.text}`);
    return answer.json();
  }

  #marked(object: JsonObject, operation: Operation): JsonObject {
    const { metadata } = answeredOf(object);
    return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [mark]: operation } } };
  }

  #annotations(operation: Operation): JsonObject {
    return { metadata: { annotations: { [mark]: operation } } };
  }

  #user(operation: Operation): string {
    return `user-${(this.#index * 3 + operations.indexOf(operation)) % userCount}`;
  }
}

/** What the API server puts into every object's metadata, and what it says when it refuses. */
interface Answered {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly message: string;
}

function answeredOf(object: JsonObject): Answered {
  return object as unknown as Answered;
}
