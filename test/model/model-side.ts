/** The model, asked as over HTTP, in no time. */

import type { SimulatedCluster } from "../../src/simulator/cluster.ts";
import { getObject } from "../../src/simulator/get-object.ts";
import type { JsonObject } from "../../src/simulator/json.ts";
import { isObject, parseJson } from "../../src/simulator/json.ts";
import { reviewOf } from "../../src/simulator/review.ts";
import { routeOf } from "../../src/simulator/route.ts";
import { frameOf } from "../../src/simulator/watching.ts";
import { write } from "../../src/simulator/write.ts";
import { ALLOWED, modelCluster, modelRequest } from "./model-cluster.ts";
import type { HttpRequest } from "./operation.ts";
import type { Side } from "./side.ts";

export class ModelSide implements Side {
  readonly cluster: SimulatedCluster;
  #reviews: string[] = [];
  #seen: number;

  constructor() {
    this.cluster = modelCluster({ seed: 1 });
    this.#seen = this.cluster.store.revision;
  }

  read(path: string): Promise<JsonObject | null> {
    const route = routeOf(this.cluster, path);
    const answer = route === null ? null : getObject(this.cluster, route);
    const object = answer?.status === 200 ? parseJson(answer.body) : null;
    return Promise.resolve(object !== null && isObject(object) ? object : null);
  }

  send(user: string, asked: HttpRequest): Promise<number> {
    const request = modelRequest(this.cluster, user, asked);
    if ("status" in request) return Promise.resolve(request.status);
    const run = write(this.cluster, request);
    let step = run.next();
    for (; step.done !== true; step = run.next(ALLOWED)) this.#reviews.push(reviewOf(step.value));
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
