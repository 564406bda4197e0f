/**
 * The API server's model: owns the store, the types, what other admission plugins refuse, and the source of ids.
 *
 * 1. Pure: time and randomness are injected, nothing waits. A write is a generator that stops at each review of the webhook
 *    and goes on with the answer, so whoever drives it decides how writes interleave.
 * 2. Between the review and the compare-and-swap other writes may happen; then there is another review of fresh state (K2).
 */

import type { Clock, Random } from "../../actors/ports.ts";
import type { JsonObject } from "./json.ts";
import { objectAt } from "./json.ts";
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
  readonly type: SimulatedType;
  readonly namespace: string;
  /** Empty for create and deletecollection. */
  readonly name: string;
  /** Empty, `status`, `scale` or `finalize`. */
  readonly subresource: string;
  /** The object, the merge patch, or DeleteOptions. */
  readonly body: JsonObject;
  /** As given in the request; empty where it is not. */
  readonly fieldManager: string;
  /** Stands in for a field manager that is not given: what is before the slash of the user agent. */
  readonly userAgent: string;
  readonly dryRun: boolean;
}

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
  /** True: the next update first sees the version before the current one, as a lagging watch cache has it (K2). */
  readonly readsStale?: () => boolean;
  readonly firstRevision?: number;
  readonly historyCapacityEvents?: number;
}

const SYSTEM_NAMESPACES = ["kube-system", "default"];
const HISTORY_CAPACITY_EVENTS = 20_000;

export class SimulatedCluster {
  readonly store: RevisionStore;
  readonly types: readonly SimulatedType[];
  readonly readsStale: () => boolean;
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #random: Random;
  #policy: Policy = () => null;
  #addresses = 0;

  constructor(options: ClusterOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.types = options.types ?? BUILT_IN_TYPES;
    this.readsStale = options.readsStale ?? (() => false);
    this.store = new RevisionStore({
      firstRevision: options.firstRevision ?? 1,
      historyCapacityEvents: options.historyCapacityEvents ?? HISTORY_CAPACITY_EVENTS,
    });
    for (const name of SYSTEM_NAMESPACES) this.#bootstrapNamespace(name);
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
    const digits = Array.from({ length: 32 }, () => Math.floor(this.#random() * 16));
    digits[12] = 4;
    digits[16] = 8 + ((digits[16] ?? 0) % 4);
    const hex = digits.map((digit) => digit.toString(16)).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }

  /** Five characters, as generateName appends them. */
  newSuffix(): string {
    const alphabet = "bcdfghjklmnpqrstvwxz2456789";
    return Array.from({ length: 5 }, () => alphabet[Math.floor(this.#random() * alphabet.length)]).join("");
  }

  /** Now, in whole seconds, RFC 3339. */
  timestamp(): string {
    return Temporal.Instant.fromEpochMilliseconds(this.#clock.nowMs()).toString({ smallestUnit: "second" });
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
    const object = prepareForCreate(NAMESPACES, {}, this.newBirth("", name));
    this.store.swap({
      at: { typeKey: NAMESPACES.key, namespace: "", name },
      expected: 0,
      next: render(object, NAMESPACES.layout),
      authorship: { user: "system:apiserver", subresource: "", reviewed: false },
    });
  }
}
