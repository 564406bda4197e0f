/**
 * What `/readyz` says: every watch synced, every repository writable. Read from memory. A remote that cannot be reached is told of and
 * makes nothing unready: reviews must be taken all the same, and commits are safe on disk.
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

export class Readiness {
  #sources: ReadinessSources | null = null;
  #stopping = false;

  started(sources: ReadinessSources): void {
    this.#sources = sources;
  }

  stopping(): void {
    this.#stopping = true;
  }

  conditions(): readonly Condition[] {
    if (this.#stopping) return [{ name: "engine", ok: false, reason: "it is stopping" }];
    if (this.#sources === null) return [{ name: "engine", ok: false, reason: "it is starting" }];
    const { watches, branches, upstreams } = this.#sources;
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

  get ready(): boolean {
    return this.conditions().every(({ ok, decides = true }) => ok || !decides);
  }
}
