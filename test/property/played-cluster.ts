/**
 * Users who write one Deployment on the model of the API server, and who of them wrote what. Whoever plays it decides at each step
 * which write goes on: between a review and its swap everything else may happen.
 */

import fc from "fast-check";
import { longestRequestMs } from "../../machines/pending.ts";
import type { SimulatedCluster, Write, WriteRequest } from "../../src/simulator/cluster.ts";
import { objectAt } from "../../src/simulator/json.ts";
import { DEPLOYMENTS } from "../../src/simulator/resource-types.ts";
import { reviewOf, type Attempt } from "../../src/simulator/review.ts";
import type { StoredEvent, Version } from "../../src/simulator/store.ts";
import { write } from "../../src/simulator/write.ts";
import { ALLOWED, clusterAt, deployment, requestOf } from "../simulator/model-support.ts";

export type Act = "create" | "edit" | "resize" | "scale" | "status" | "hold" | "release" | "delete";
/**
 * `denied`: by another webhook, after the review. `unseen`: the review is lost. `twice`: reviewed twice over. `altered`: what etcd
 * gives back says the same in other bytes (K36).
 */
export type Fate = "ordinary" | "denied" | "dry" | "unseen" | "twice" | "altered";

export interface Beginning {
  readonly do: "begin";
  readonly user: number;
  readonly act: Act;
  readonly value: number;
  readonly stale: boolean;
  readonly fate: Fate;
}

export interface Answering {
  readonly do: "answer";
  readonly at: number;
}

const acts: readonly Act[] = [
  "create",
  "edit",
  "edit",
  "edit",
  "edit",
  "resize",
  "scale",
  "scale",
  "status",
  "hold",
  "release",
  "delete",
  "delete",
  "delete",
] as readonly Act[];
const fates: readonly Fate[] = [
  "ordinary",
  "ordinary",
  "ordinary",
  "ordinary",
  "ordinary",
  "ordinary",
  "ordinary",
  "denied",
  "dry",
  "unseen",
  "twice",
  "altered",
] as readonly Fate[];

/** Any number of users, few values: several of them often want the same. */
export const beginning: fc.Arbitrary<Beginning> = fc.record({
  do: fc.constant("begin" as const),
  user: fc.nat({ max: 9 }),
  act: fc.constantFrom(...acts),
  value: fc.nat({ max: 2 }),
  stale: fc.constantFrom(false, false, true),
  fate: fc.constantFrom(...fates),
});
export const answering: fc.Arbitrary<Answering> = fc.record({ do: fc.constant("answer" as const), at: fc.nat() });

/** There is something to write to. */
export const opening: readonly (Beginning | Answering)[] = [
  { do: "begin", user: 0, act: "create", value: 0, stale: false, fate: "ordinary" },
  { do: "answer", at: 0 },
];

/** A review that reached its address. */
export interface Review {
  readonly attempt: Attempt;
  /** The AdmissionReview, UTF-8. */
  readonly bytes: Buffer;
  /** `object` is not in the bytes that the watch will show. */
  readonly altered: boolean;
}

interface Running {
  readonly write: Write;
  readonly fate: Fate;
  readonly sinceMs: number;
}

export class PlayedCluster {
  readonly cluster: SimulatedCluster;
  readonly #advance: (ms: number) => void;
  readonly #onReview: (review: Review) => void;
  #running: Running[] = [];
  #nowMs = 0;
  #begun = 0;

  constructor(onReview: (review: Review) => void) {
    const { cluster, advance } = clusterAt();
    this.cluster = cluster;
    this.#advance = advance;
    this.#onReview = onReview;
    cluster.store.subscribe(DEPLOYMENTS.key, () => {
      const event = cluster.store.eventsAfter(DEPLOYMENTS.key, cluster.store.revision - 1)?.at(-1);
      if (event !== undefined) this.events.push(event);
    });
  }

  /** All that was persisted, in order, compacted or not. */
  readonly events: StoredEvent[] = [];

  /** Null: absent, or on its way out (K33). */
  get current(): Version | null {
    const version = this.cluster.store.get({ typeKey: DEPLOYMENTS.key, namespace: "default", name: "a" });
    return version === null || "deletionTimestamp" in objectAt(version.object, "metadata") ? null : version;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  catchUp(): void {
    this.cluster.server({}).catchUp();
  }

  begin(step: Beginning): void {
    this.#begun += 1;
    // Its reads are of the watch cache, and so are those that follow.
    if (step.stale) this.cluster.server({}).hold();
    else this.catchUp();
    const running = {
      write: write(this.cluster, requestFor(step, this.#begun)),
      fate: step.fate,
      sinceMs: this.#nowMs,
    };
    this.#running.push(running);
    this.#go(running, null);
  }

  answer({ at }: Answering): void {
    const running = this.#running[at % Math.max(1, this.#running.length)];
    if (running !== undefined) this.#go(running, answers[running.fate]);
  }

  pass(ms: number): void {
    this.#advance(ms);
    this.#nowMs += ms;
    this.#running = this.#running.filter(({ sinceMs }) => this.#nowMs - sinceMs < longestRequestMs);
  }

  /** Every write to its end. */
  finish(): void {
    while (this.#running.length > 0) this.answer({ do: "answer", at: 0 });
  }

  #go(running: Running, answer: typeof ALLOWED | null): void {
    const step = answer === null ? running.write.next() : running.write.next(answer);
    if (step.done === true) {
      this.#running = this.#running.filter((one) => one !== running);
      return;
    }
    const { fate } = running;
    if (fate === "unseen") return;
    const altered = fate === "altered" && step.value.subresource !== "scale" && step.value.object !== null;
    const sent = altered ? { ...step.value, object: alter(step.value.object ?? "") } : step.value;
    const review: Review = { attempt: step.value, bytes: Buffer.from(reviewOf(sent)), altered };
    this.#onReview(review);
    if (fate === "twice") this.#onReview(review);
  }
}

const answers = {
  ordinary: ALLOWED,
  twice: ALLOWED,
  altered: ALLOWED,
  dry: ALLOWED,
  denied: { answered: true, allowed: false, message: "no" },
  unseen: { answered: false, allowed: true, message: "" },
} as const;

/** An empty list that the watch will not show. */
function alter(object: string): string {
  return object.replace(`"spec":{`, `"spec":{"affinity":[],`);
}

function requestFor({ user, act, value, fate }: Beginning, number: number): WriteRequest {
  const common = {
    type: DEPLOYMENTS,
    name: "a",
    user: { name: `u${user}`, groups: [] },
    dryRun: fate === "dry",
    fieldManager: managerOf(fate, number),
  };
  const patch = (body: WriteRequest["body"], subresource = ""): WriteRequest =>
    requestOf({ ...common, verb: "patch", subresource, body });
  // A removal leaves no manager behind: nothing in its bytes would be its own.
  const wanted = act === "release" && common.fieldManager !== "kubectl" ? "edit" : act;
  switch (wanted) {
    case "create":
      return requestOf({ ...common, verb: "create", name: "", body: deployment("a", value) });
    case "edit":
      return patch({ metadata: { annotations: { value: String(value) } } });
    case "resize":
      return patch({ spec: { replicas: value } });
    case "scale":
      return patch({ spec: { replicas: value } }, "scale");
    case "status":
      return patch({ status: { readyReplicas: value } }, "status");
    case "hold":
      return patch({ metadata: { finalizers: ["example.com/hold"] } });
    case "release":
      return patch({ metadata: { finalizers: null } });
    case "delete":
      return requestOf({ ...common, verb: "delete", body: {} });
    default:
      return wanted satisfies never;
  }
}

/**
 * managedFields name the manager and the second: who writes the same under the same name within it is a tie. What nobody saw has a name
 * of its own: that its bytes were those of somebody else's failed attempt is what the verdict `exact` rules out (DESIGN section 4).
 */
function managerOf(fate: Fate, number: number): string {
  if (fate === "unseen") return `unseen-${number}`;
  return fate === "altered" ? "editor" : "kubectl";
}
