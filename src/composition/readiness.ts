/**
 * What `/readyz` says: every watch synced, every repository writable. Read from memory. A remote that cannot be reached is told of and
 * makes nothing unready: reviews must be taken all the same, and commits are safe on disk. In an installation the API server reaches only
 * what is ready: there, taking reviews is all that decides, and the rest is told.
 */
import type { BranchActor } from "../../actors/branch-actor.ts";
import type { WatchManager } from "../../actors/watch-manager.ts";
import type { Condition } from "../telemetry/probes.ts";
import type { Upstreams } from "./upstreams.ts";

export interface ReadinessSources {
  readonly watches: WatchManager;
  readonly branches: ReadonlyMap<string, BranchActor>;
  readonly upstreams: Pick<Upstreams, "actors" | "contacts">;
}

type State =
  | { readonly kind: "starting" | "standingBy" | "stopping" }
  | { readonly kind: "recording"; readonly sources: ReadinessSources }
  | { readonly kind: "failed"; readonly reason: string };

export class Readiness {
  readonly #installed: boolean;
  #state: State = { kind: "starting" };
  #listening = false;

  /** `installed`: a Service leads to this process as long as it is ready. */
  constructor({ installed = false }: { readonly installed?: boolean } = {}) {
    this.#installed = installed;
  }

  listening(): void {
    this.#listening = true;
  }

  recording(sources: ReadinessSources): void {
    this.#become({ kind: "recording", sources });
  }

  /** Nothing is recorded here: somebody else does, or there is nothing to record. */
  standingBy(): void {
    this.#become({ kind: "standingBy" });
  }

  failed(reason: string): void {
    this.#become({ kind: "failed", reason });
  }

  stopping(): void {
    this.#state = { kind: "stopping" };
  }

  conditions(): readonly Condition[] {
    if (this.#state.kind === "stopping") return [{ name: "engine", ok: false, reason: "it is stopping" }];
    const told = this.#told();
    if (!this.#installed) return told;
    const reviews = { name: "reviews", ok: this.#listening, reason: "the webhook's certificate is not there yet" };
    return [reviews, ...told.map((condition) => ({ ...condition, decides: false }))];
  }

  get ready(): boolean {
    return this.conditions().every(({ ok, decides = true }) => ok || !decides);
  }

  #become(state: State): void {
    if (this.#state.kind !== "stopping") this.#state = state;
  }

  #told(): readonly Condition[] {
    const state = this.#state;
    switch (state.kind) {
      case "recording":
        return conditionsOf(state.sources);
      case "standingBy":
        return [{ name: "engine", ok: true, reason: "nothing is recorded here" }];
      case "failed":
        return [{ name: "engine", ok: false, reason: state.reason }];
      case "starting":
      case "stopping":
        return [{ name: "engine", ok: false, reason: `it is ${state.kind}` }];
      default:
        return state satisfies never;
    }
  }
}

function conditionsOf({ watches, branches, upstreams }: ReadinessSources): readonly Condition[] {
  const all: Condition[] = [
    { name: "watches", ok: watches.synced, reason: "some first list is not complete yet: see the watches below" },
  ];
  for (const { type, synced, phase } of watches.watches)
    all.push({ name: `watch ${type.key}`, ok: synced, reason: `its first list is not complete yet (${phase})` });
  for (const [targetId, branch] of branches) {
    const { state, lastError } = branch.status();
    // What it waits for is told below.
    if (state === "unopened") continue;
    const ok = state !== "stopped" && state !== "backingOff";
    all.push({ name: `repository ${targetId}`, ok, reason: lastError?.message ?? state });
  }
  for (const [targetId, { trouble }] of upstreams.contacts) {
    const reason = `nothing is committed yet, and all is caught up with once the remote can be read: ${trouble}`;
    all.push({ name: `remote ${targetId}`, ok: false, reason, decides: false });
  }
  for (const [targetId, upstream] of upstreams.actors) {
    const { state, unpushed, lastError } = upstream.status();
    const ok = state !== "stopped" && state !== "backingOff";
    const reason = `${unpushed} commits are not pushed yet: ${lastError?.message ?? state}`;
    all.push({ name: `remote ${targetId}`, ok, reason, decides: false });
  }
  return all;
}
