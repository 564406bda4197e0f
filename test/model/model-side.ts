/** The model, asked as over HTTP, in no time. */

import { SimulatedCluster } from "../../src/simulator/cluster.ts";
import type { Policy, ReviewAnswer } from "../../src/simulator/cluster.ts";
import { getObject } from "../../src/simulator/get-object.ts";
import type { JsonObject } from "../../src/simulator/json.ts";
import { isObject, parseJson } from "../../src/simulator/json.ts";
import { BUILT_IN_TYPES, NAMESPACES } from "../../src/simulator/resource-types.ts";
import type { User } from "../../src/simulator/review.ts";
import { reviewOf } from "../../src/simulator/review.ts";
import { routeOf } from "../../src/simulator/route.ts";
import { frameOf } from "../../src/simulator/watching.ts";
import { writeRequestOf } from "../../src/simulator/write-request.ts";
import { write, writeNow } from "../../src/simulator/write.ts";
import { diceOf } from "../../src/simulation/dice.ts";
import { namespace } from "../storm/kinds.ts";
import type { HttpRequest } from "./operation.ts";
import type { Side } from "./side.ts";
import { modelTypes } from "./model-kinds.ts";

const ALLOWED: ReviewAnswer = { answered: true, allowed: true, message: "" };
const denied: Policy = ({ user }) => (user.name.startsWith("denied-") ? "denied by the storm" : null);

export class ModelSide implements Side {
  readonly cluster: SimulatedCluster;
  readonly #users: ReadonlyMap<string, User>;
  #reviews: string[] = [];
  #seen: number;

  constructor(users: ReadonlyMap<string, User>) {
    this.#users = users;
    const others = BUILT_IN_TYPES.filter((type) => !modelTypes.some(({ kind }) => kind === type.kind));
    this.cluster = new SimulatedCluster({
      clock: { nowMs: () => Date.now() },
      random: diceOf(1).next,
      types: [...modelTypes, ...others],
    });
    this.cluster.setPolicy(denied);
    writeNow(this.cluster, {
      user: { name: "admin", groups: [] },
      verb: "create",
      type: NAMESPACES,
      namespace: "",
      name: "",
      subresource: "",
      body: { metadata: { name: namespace } },
      fieldManager: "",
      userAgent: "",
      dryRun: false,
    });
    this.#seen = this.cluster.store.revision;
  }

  read(path: string): Promise<JsonObject | null> {
    const route = routeOf(this.cluster, path);
    const answer = route === null ? null : getObject(this.cluster, route);
    const object = answer?.status === 200 ? parseJson(answer.body) : null;
    return Promise.resolve(object !== null && isObject(object) ? object : null);
  }

  send(name: string, { method, path, contentType, body }: HttpRequest): Promise<number> {
    const url = new URL(path, "https://localhost");
    const route = routeOf(this.cluster, url.pathname);
    const user = this.#users.get(name);
    if (route === null || user === undefined) throw new Error(`The model has no ${path} or no ${name}`);
    const request = writeRequestOf({
      user,
      route,
      method,
      contentType,
      query: url.searchParams,
      userAgent: "",
      text: body === null ? "" : JSON.stringify(body),
    });
    if ("status" in request) return Promise.resolve(request.status);
    const run = write(this.cluster, request);
    let step = run.next();
    while (step.done !== true) {
      this.#reviews.push(reviewOf(step.value));
      step = run.next(ALLOWED);
    }
    return Promise.resolve(step.value.status);
  }

  takeReviews(): readonly string[] {
    const taken = this.#reviews;
    this.#reviews = [];
    return taken;
  }

  takeEvents(): Promise<readonly string[]> {
    const events = this.cluster.store.allEvents().filter(({ revision }) => revision > this.#seen);
    this.#seen = this.cluster.store.revision;
    return Promise.resolve(events.map(frameOf));
  }
}
