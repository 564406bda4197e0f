/**
 * One request on the model, with others coming between as they did: before each review is answered but the last, what bears the
 * name becomes the base of the next review. So an attempt is what the model makes of its base after the attempts before it.
 */

import type { SimulatedCluster, Write } from "../../src/simulator/cluster.ts";
import { objectAt, parseJson } from "../../src/simulator/json.ts";
import { removeObject } from "../../src/simulator/remove.ts";
import type { Rendered } from "../../src/simulator/rendered.ts";
import { render } from "../../src/simulator/rendered.ts";
import { CONFIG_MAPS } from "../../src/simulator/resource-types.ts";
import type { Attempt } from "../../src/simulator/review.ts";
import { reviewOf } from "../../src/simulator/review.ts";
import type { ObjectName } from "../../src/simulator/store.ts";
import { frameOf } from "../../src/simulator/watching.ts";
import { write } from "../../src/simulator/write.ts";
import { namespace } from "../storm/kinds.ts";
import { ALLOWED, modelCluster, modelRequest, namespacesAtFirst } from "./model-cluster.ts";
import { modelTypes } from "./model-kinds.ts";
import type { TracedEvent, TracedRequest } from "./trace.ts";

export interface Replayed {
  readonly status: number;
  /** On the last base; null: there would be none. */
  readonly review: string | null;
  /** If nobody comes between any more. */
  readonly events: readonly string[];
}

/** Unlike that of any trace of the model: ids must not be the same by chance. */
const replaySeed = 1_000_003;

const authorship = { user: "somebody", subresource: "", reviewed: false };

/**
 * Of each review its base; null where nothing of that name was there. At least one. `unseen` was there from the beginning, and the
 * first base only in the watch cache.
 */
export function replay(
  request: TracedRequest,
  bases: readonly (TracedEvent | null)[],
  unseen: TracedEvent | null = null,
): Replayed {
  const stage = new Stage(bases);
  const { cluster } = stage;
  stage.become(bases[0] ?? null);
  if (unseen !== null) {
    cluster.server({}).hold();
    stage.become(unseen);
  }
  const run = begin(cluster, request, bases);
  if (run === null) return { status: 400, review: null, events: [] };
  let step = run.next();
  cluster.server({}).catchUp();
  let last: Attempt | null = step.done === true ? null : step.value;
  for (const base of bases.slice(1)) {
    if (step.done === true) break;
    stage.become(base);
    step = run.next(ALLOWED);
    last = step.done === true ? null : step.value;
  }
  const from = cluster.store.revision;
  while (step.done !== true) step = run.next(ALLOWED);
  const events = cluster.store.allEvents().filter(({ revision }) => revision > from);
  return { status: step.value.status, review: last === null ? null : reviewOf(last), events: events.map(frameOf) };
}

function begin(
  cluster: SimulatedCluster,
  { user, request }: TracedRequest,
  bases: readonly (TracedEvent | null)[],
): Write | null {
  const asked = modelRequest(cluster, user, request);
  if ("status" in asked) return null;
  // What a deletecollection listed, it deletes by name, whatever its labels are by then.
  if (asked.verb === "deletecollection") return removeObject(cluster, { ...asked, name: bases[0]?.name ?? "" }, "");
  return write(cluster, asked);
}

/** A cluster with one name in it, that can be made to hold any version of it, under that version's number. */
class Stage {
  readonly cluster: SimulatedCluster;
  #base: TracedEvent | null = null;

  constructor(bases: readonly (TracedEvent | null)[]) {
    const [first] = bases.filter((base) => base !== null);
    // Room for a removal before the first version.
    const revision = first === undefined ? 1 : Number(first.version) - namespacesAtFirst - 1;
    this.cluster = modelCluster({ revision, seed: replaySeed });
  }

  become(base: TracedEvent | null): void {
    if (base !== null && base.version === this.#base?.version) return;
    const gone = this.#base !== null && base?.uid !== this.#base.uid;
    if (gone && this.#base !== null) this.#swap(this.#base, null);
    if (base !== null) {
      this.#idleUntil(Number(base.version) - 1);
      this.#swap(base, renderedOf(base));
    }
    this.#base = base;
  }

  #swap({ type, name }: TracedEvent, next: Rendered | null): void {
    const { store } = this.cluster;
    const typeKey = simulated(type.kind).key;
    const at: ObjectName = { typeKey, namespace, name };
    store.swap({ at, expected: store.get(at)?.revision ?? 0, next, authorship });
  }

  /** Writes of others, elsewhere. */
  #idleUntil(revision: number): void {
    const { store } = this.cluster;
    const at: ObjectName = { typeKey: CONFIG_MAPS.key, namespace: "kube-system", name: "others" };
    const next = render({ metadata: { name: at.name } }, CONFIG_MAPS.layout);
    while (store.revision < revision) {
      store.swap({ at, expected: store.get(at)?.revision ?? 0, next, authorship });
    }
  }
}

function simulated(kind: string) {
  const type = modelTypes.find((one) => one.kind === kind);
  if (type === undefined) throw new Error(`The model has no ${kind}`);
  return type;
}

function renderedOf({ type, frame }: TracedEvent): Rendered {
  return render(objectAt(parseJson(frame), "object"), simulated(type.kind).layout);
}
