/** What `/readyz` says: every watch synced, every repository writable. Read from memory. */
import type { BranchActor } from "../../actors/branch-actor.ts";
import type { WatchManager } from "../../actors/watch-manager.ts";
import type { Condition } from "../telemetry/probes.ts";

export class Readiness {
  #sources: { readonly watches: WatchManager; readonly branches: ReadonlyMap<string, BranchActor> } | null = null;
  #stopping = false;

  started(watches: WatchManager, branches: ReadonlyMap<string, BranchActor>): void {
    this.#sources = { watches, branches };
  }

  stopping(): void {
    this.#stopping = true;
  }

  conditions(): readonly Condition[] {
    if (this.#stopping) return [{ name: "engine", ok: false, reason: "it is stopping" }];
    if (this.#sources === null) return [{ name: "engine", ok: false, reason: "it is starting" }];
    const { watches, branches } = this.#sources;
    const all: Condition[] = [
      { name: "watches", ok: watches.synced, reason: "some first list is not complete yet: see the watches below" },
    ];
    for (const { type, synced, phase } of watches.watches)
      all.push({ name: `watch ${type.key}`, ok: synced, reason: `its first list is not complete yet (${phase})` });
    for (const [targetId, branch] of branches) {
      const { state, lastError } = branch.status();
      const ok = state !== "stopped" && state !== "backingOff";
      all.push({ name: `repository ${targetId}`, ok, reason: lastError?.message ?? state });
    }
    return all;
  }

  get ready(): boolean {
    return this.conditions().every(({ ok }) => ok);
  }
}
