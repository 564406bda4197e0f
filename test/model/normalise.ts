/**
 * Reviews and frames without what differs by nature: generated names, uids, times, and the order of managedFields, which their
 * times decide. A resourceVersion becomes the number of the event that bore it, a uid the number of its first event: so that a
 * wrong base or a wrong incarnation is seen.
 */

import { isObject, parseJson } from "../../src/simulator/json.ts";
import type { Json } from "../../src/simulator/json.ts";

const UID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const GENERATED = /^made-[a-z0-9]{5}$/;

export class Normaliser {
  readonly #versions = new Map<string, number>();
  readonly #uids = new Map<string, number>();

  /** In the order of the watch. */
  event(frame: string): string {
    const { object } = JSON.parse(frame) as { readonly object: { readonly metadata: Record<string, string> } };
    const { resourceVersion = "", uid = "" } = object.metadata;
    if (!this.#versions.has(resourceVersion)) this.#versions.set(resourceVersion, this.#versions.size + 1);
    if (!this.#uids.has(uid)) this.#uids.set(uid, this.#uids.size + 1);
    return this.review(frame);
  }

  review(text: string): string {
    return JSON.stringify(this.#plain(parseJson(text), ""));
  }

  #plain(value: Json, key: string): Json {
    if (typeof value === "string") return this.#text(value, key);
    if (Array.isArray(value)) {
      const items = (value as readonly Json[]).map((item) => this.#plain(item, ""));
      return key === "managedFields" ? items.map((item) => JSON.stringify(item)).toSorted() : items;
    }
    if (!isObject(value)) return value;
    // The order of members is compared too.
    const members = Object.entries(value).map(([name, member]) => [name, this.#plain(member, name)] as const);
    return Object.fromEntries(members);
  }

  #text(value: string, key: string): string {
    if (key === "resourceVersion") return `version ${this.#versions.get(value) ?? "unknown"}`;
    if (key === "uid" || UID.test(value)) return `uid ${this.#uids.get(value) ?? "new"}`;
    if (TIME.test(value)) return "time";
    return GENERATED.test(value) ? "made-" : value;
  }
}
