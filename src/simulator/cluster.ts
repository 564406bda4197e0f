/**
 * The API server's model: owns the store, the types, what other admission plugins refuse, and the source of ids.
 *
 * 1. Pure: time and randomness are injected, nothing waits. A write is a generator that stops at each review of the webhook
 *    and goes on with the answer, so whoever drives it decides how writes interleave.
 * 2. Between the review and the compare-and-swap other writes may happen; then there is another review of fresh state (K2).
 */

import type { Clock, Random } from "../../actors/ports.ts";
import { SimulatedApiServer } from "./api-server.ts";
import { decode } from "./decode.ts";
import type { Json, JsonObject } from "./json.ts";
import { objectAt, stringAt } from "./json.ts";
import type { Birth } from "./strategy.ts";
import { prepareForCreate } from "./strategy.ts";
import { BUILT_IN_TYPES, NAMESPACES } from "./resource-types.ts";
import type { SimulatedType } from "./resource-types.ts";
import type { Attempt, User } from "./review.ts";
import { render } from "./rendered.ts";
import { RevisionStore } from "./store.ts";
import type { ApiAnswer } from "./status.ts";

export interface WriteRequest {
  readonly user: User;
  readonly verb: "create" | "update" | "patch" | "delete" | "deletecollection";
  /** Absent: a merge patch, if it is one. */
  readonly patch?: Patch;
  readonly type: SimulatedType;
  readonly namespace: string;
  /** Empty for create and deletecollection. */
  readonly name: string;
  /** Empty, `status`, `scale` or `finalize`. */
  readonly subresource: string;
  /** The object, the merge patch, the applied configuration, or DeleteOptions. */
  readonly body: JsonObject;
  /** As given in the request; empty where it is not. */
  readonly fieldManager: string;
  /** Stands in for a field manager that is not given: what is before the slash of the user agent. */
  readonly userAgent: string;
  readonly dryRun: boolean;
  /** Of a deletecollection; absent: everything. */
  readonly labelSelector?: string;
  /** Which API server is asked; absent: the first. */
  readonly server?: number;
}

export type Patch =
  | { readonly kind: "merge" }
  | { readonly kind: "json"; readonly operations: readonly Json[] }
  | { readonly kind: "apply"; readonly force: boolean };

export interface ReviewAnswer {
  /** False: the webhook is not configured for this, off, or too slow; the policy is Ignore. */
  readonly answered: boolean;
  readonly allowed: boolean;
  readonly message: string;
}

/** Yields each review; returns the response. */
export type Write = Generator<Attempt, ApiAnswer, ReviewAnswer>;

/** What a second webhook or a quota says after ours was asked: a message refuses, null lets pass. */
export type Policy = (attempt: Attempt) => string | null;

export interface ClusterOptions {
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Random;
  readonly types?: readonly SimulatedType[];
  /** API servers before the one store; default 1. */
  readonly servers?: number;
  readonly firstRevision?: number;
  readonly historyCapacityEvents?: number;
}

const SYSTEM_NAMESPACES = ["kube-system", "default"];
const HISTORY_CAPACITY_EVENTS = 20_000;

export class SimulatedCluster {
  readonly store: RevisionStore;
  readonly servers: readonly SimulatedApiServer[];
  #types: readonly SimulatedType[];
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #random: Random;
  #policy: Policy = () => null;
  #addresses = 0;

  constructor(options: ClusterOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#types = options.types ?? BUILT_IN_TYPES;
    this.store = new RevisionStore({
      firstRevision: options.firstRevision ?? 1,
      historyCapacityEvents: options.historyCapacityEvents ?? HISTORY_CAPACITY_EVENTS,
    });
    this.servers = Array.from({ length: options.servers ?? 1 }, () => new SimulatedApiServer(this.store));
    for (const name of SYSTEM_NAMESPACES) this.#bootstrapNamespace(name);
  }

  get types(): readonly SimulatedType[] {
    return this.#types;
  }

  server({ server = 0 }: { readonly server?: number }): SimulatedApiServer {
    const found = this.servers[server];
    if (found === undefined) throw new RangeError(`No API server ${server}: there are ${this.servers.length}.`);
    return found;
  }

  /** A CRD is created; each API server answers 429 for it until it is told to go on (K43). */
  install(type: SimulatedType): void {
    this.#types = [...this.#types.filter(({ key }) => key !== type.key), type];
    for (const server of this.servers) server.setInitializing(type.key, true);
  }

  /** A CRD is deleted: its objects go, and nobody is asked; then there is no such resource. */
  uninstall(type: SimulatedType, user: string): void {
    const authorship = { user, subresource: "", reviewed: false };
    for (const version of this.store.list(type.key, { namespace: "", revision: this.store.revision }) ?? []) {
      const metadata = objectAt(version.object, "metadata");
      const at = { typeKey: type.key, namespace: stringAt(metadata, "namespace"), name: stringAt(metadata, "name") };
      this.store.swap({ at, expected: version.revision, next: null, authorship });
    }
    this.#types = this.#types.filter(({ key }) => key !== type.key);
    for (const server of this.servers) server.close(type.key);
  }

  /** A backup is put in its place: what was written after `revision` never happened, and every API server begins anew (K48). */
  restore(revision: number): void {
    this.store.restore(revision);
    for (const server of this.servers) server.restart();
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** Replaces what the other admission plugins say. */
  setPolicy(policy: Policy): void {
    this.#policy = policy;
  }

  typeOf(group: string, version: string, resource: string): SimulatedType | undefined {
    return this.types.find((type) => type.group === group && type.version === version && type.resource === resource);
  }

  /** A random (version 4) UUID. */
  newUid(): string {
    let hex = "";
    for (let at = 0; at < 32; at += 1) {
      const digit = Math.floor(this.#random() * 16);
      hex += at === 12 ? "4" : (at === 16 ? 8 + (digit % 4) : digit).toString(16);
    }
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }

  /** Five characters, as generateName appends them. */
  newSuffix(): string {
    const alphabet = "bcdfghjklmnpqrstvwxz2456789";
    return Array.from({ length: 5 }, () => alphabet[Math.floor(this.#random() * alphabet.length)]).join("");
  }

  /** Now or in some seconds, in whole seconds, RFC 3339. */
  timestamp(inSeconds = 0): string {
    return `${new Date(this.#clock.nowMs() + inSeconds * 1000).toISOString().slice(0, -".000Z".length)}Z`;
  }

  newBirth(namespace: string, name: string): Birth {
    this.#addresses += 1;
    const clusterIp = `10.96.${(this.#addresses >> 8) & 255}.${this.#addresses & 255}`;
    return { uid: this.newUid(), name, namespace, time: this.timestamp(), clusterIp };
  }

  namespaceState(name: string): "absent" | "active" | "terminating" {
    const version = this.store.get({ typeKey: NAMESPACES.key, namespace: "", name });
    if (version === null) return "absent";
    return "deletionTimestamp" in objectAt(version.object, "metadata") ? "terminating" : "active";
  }

  #bootstrapNamespace(name: string): void {
    const body = decode(NAMESPACES, { metadata: { name } });
    const object = prepareForCreate(NAMESPACES, body, this.newBirth("", name));
    this.store.swap({
      at: { typeKey: NAMESPACES.key, namespace: "", name },
      expected: 0,
      next: render(object, NAMESPACES.layout),
      authorship: { user: "system:apiserver", subresource: "", reviewed: false },
    });
  }
}
