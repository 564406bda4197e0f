/** One operation's random parts, drawn before it is known what is there, so that both sides send the same. */

import type { JsonObject } from "../../src/simulator/json.ts";
import { objectAt, withMembers } from "../../src/simulator/json.ts";
import type { StormKind } from "../storm/kinds.ts";
import { collectionPath, hold } from "../storm/kinds.ts";
import type { SeededRandom } from "../storm/random.ts";
import { typeMeta } from "./model-kinds.ts";
import type { HttpRequest } from "./operation.ts";

const NAMES = ["web-0", "web-1", "web-2"];
const MANAGERS = ["kubectl-edit", "robot", ""];
const APPLIERS = ["helm", "argo"];
const POLICIES = ["", "", "Background", "Foreground", "Orphan"];
const DRY_RUN_SHARE = 0.04;
const ANNOTATIONS = ["note", "color"];

export class Draft {
  readonly random: SeededRandom;
  readonly kind: StormKind;
  readonly name: string;
  /** Few, so that writers agree now and then. */
  readonly version: number;
  readonly scale: { readonly spec: { readonly replicas: number } };
  readonly finalizers: readonly string[];
  readonly #dryRun: boolean;
  readonly #manager: string;
  readonly #applier: string;
  readonly #policy: string;
  readonly #shard: string;
  readonly #annotation: string;
  readonly #half: boolean;

  constructor(random: SeededRandom, kind: StormKind) {
    this.random = random;
    this.kind = kind;
    this.name = random.pick(NAMES);
    this.version = random.below(4);
    this.scale = { spec: { replicas: random.below(3) } };
    this.finalizers = random.pick([[hold], [hold, `${hold}-2`]]);
    this.#dryRun = random.chance(DRY_RUN_SHARE);
    this.#manager = random.pick(MANAGERS);
    this.#applier = random.pick(APPLIERS);
    this.#policy = random.pick(POLICIES);
    this.#shard = random.pick(["a", "b"]);
    this.#annotation = random.pick(ANNOTATIONS);
    this.#half = random.chance(0.5);
  }

  get path(): string {
    return `${collectionPath(this.kind)}/${this.name}`;
  }

  post(body: object): HttpRequest {
    return this.#request("POST", collectionPath(this.kind), body);
  }

  put(body: object, subresource = ""): HttpRequest {
    return this.#request("PUT", `${this.path}${subresource}`, body);
  }

  merge(body: object, subresource = ""): HttpRequest {
    return this.#request("PATCH", `${this.path}${subresource}`, body, "application/merge-patch+json");
  }

  json(operations: readonly object[]): HttpRequest {
    return this.#request("PATCH", this.path, operations, "application/json-patch+json");
  }

  apply(force: boolean): HttpRequest {
    const metadata = { name: this.name, labels: { applied: `v${this.version}` }, ...this.#annotations() };
    const content = this.#half ? this.#content() : {};
    const body = { ...typeMeta(this.kind), metadata, ...content };
    const query = new URLSearchParams({ fieldManager: this.#applier, ...(force ? { force: "true" } : {}) });
    if (this.#dryRun) query.set("dryRun", "All");
    const path = `${this.path}?${query.toString()}`;
    return { method: "PATCH", path, contentType: "application/apply-patch+yaml", body };
  }

  delete(more: object): HttpRequest {
    return { method: "DELETE", path: this.path, contentType: "application/json", body: this.#deleteOptions(more) };
  }

  deleteAll(): HttpRequest {
    const selector = this.#half ? `?labelSelector=shard%3D${this.#shard}` : "";
    const path = `${collectionPath(this.kind)}${selector}`;
    return { method: "DELETE", path, contentType: "application/json", body: this.#deleteOptions({}) };
  }

  object(metadata: JsonObject): JsonObject {
    const held = this.random.chance(0.15) ? { finalizers: this.finalizers } : {};
    const own = { ...metadata, labels: { shard: this.#shard }, ...this.#annotations(), ...held };
    return { ...typeMeta(this.kind), metadata: own, ...this.#content() };
  }

  /** Somebody's object, edited. */
  changed(object: JsonObject): JsonObject {
    const metadata = objectAt(object, "metadata");
    const annotations = { ...objectAt(metadata, "annotations"), ...this.#annotations().annotations };
    const content = this.#content();
    const spec = "spec" in object ? { spec: { ...objectAt(object, "spec"), ...objectAt(content, "spec") } } : {};
    return { ...object, ...content, ...spec, metadata: { ...metadata, annotations } };
  }

  mergePatch(): JsonObject {
    const annotations = { [this.#annotation]: this.#half ? `v${this.version}` : null };
    return { metadata: { annotations }, ...(this.random.chance(0.6) ? this.#content() : {}) };
  }

  jsonPatch(): readonly object[] {
    if (this.#half) return [{ op: "add", path: "/metadata/labels/patched", value: `v${this.version}` }];
    const field = Object.keys(this.#content()).find((key) => key !== "spec" && key !== "type") ?? "spec";
    const replicas = { op: "replace", path: "/spec/replicas", value: this.scale.spec.replicas };
    const content = { op: "replace", path: `/${field}`, value: this.#content()[field] ?? null };
    const changes = field === "spec" ? [replicas] : [content];
    return [{ op: "test", path: "/metadata/name", value: this.name }, ...changes];
  }

  statusPatch(): JsonObject {
    const metadata = this.#half ? { metadata: { ...this.#annotations(), labels: { seen: `v${this.version}` } } } : {};
    return { ...metadata, status: this.#status() };
  }

  withStatus(object: JsonObject): JsonObject {
    const labels = { ...objectAt(objectAt(object, "metadata"), "labels"), seen: `v${this.version}` };
    const metadata = withMembers(objectAt(object, "metadata"), { labels });
    return { ...object, metadata, status: this.#status() };
  }

  #status(): JsonObject {
    return { replicas: this.version };
  }

  #annotations(): { readonly annotations: JsonObject } {
    return { annotations: { [this.#annotation]: `v${this.version}` } };
  }

  #content(): JsonObject {
    return this.kind.content(this.version, this.scale.spec.replicas);
  }

  #deleteOptions(more: object): object {
    return {
      kind: "DeleteOptions",
      apiVersion: "v1",
      ...(this.#policy === "" ? {} : { propagationPolicy: this.#policy }),
      ...(this.#dryRun ? { dryRun: ["All"] } : {}),
      ...more,
    };
  }

  #request(method: HttpRequest["method"], at: string, body: object, contentType = "application/json"): HttpRequest {
    const query = new URLSearchParams();
    if (this.#manager !== "") query.set("fieldManager", this.#manager);
    if (this.#dryRun) query.set("dryRun", "All");
    const asked = query.toString();
    return { method, path: asked === "" ? at : `${at}?${asked}`, contentType, body };
  }
}
