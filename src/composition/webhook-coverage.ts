/**
 * What the webhook's configuration means for the blind times of the history, while this process records. Owns when that began, and
 * whether the configuration was found wrong since.
 *
 * 1. Only the replica that records tells: others do not know which types are watched.
 * 2. Until the configuration was judged for the first time nothing is told: it is as whoever recorded before left it.
 */
import type { Observable, Subscription } from "rxjs";

import type { Coverage } from "../../actors/coverage.ts";
import type { Coverage as Seen } from "../webhook/coverage.ts";

const source = "webhook";

export class WebhookCoverage implements Disposable {
  readonly #coverage: Coverage;
  readonly #subscription: Subscription;
  #seen: Seen | null = null;
  /** Wall clock; null: this process does not record. */
  #sinceMs: number | null = null;
  #told = false;

  constructor(seen$: Observable<Seen>, coverage: Coverage) {
    this.#coverage = coverage;
    this.#subscription = seen$.subscribe((seen) => {
      this.#seen = seen;
      this.#tell();
    });
  }

  begin(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#tell();
  }

  end(): void {
    this.#sinceMs = null;
    if (this.#told) this.#coverage.seeing(source);
    this.#told = false;
  }

  /** From then until now nobody took what reviews said. */
  unattended(sinceMs: number): void {
    if (Number.isNaN(sinceMs)) return;
    const reasons = [{ code: "process-down", message: "no process took reviews" }];
    this.#coverage.blind("holder", { reasons, sinceMs });
    this.#coverage.seeing("holder");
  }

  /** From then until now a replica kept reviews that it could not hand on to the one that records. */
  notHandedOn(sinceMs: number): void {
    const message = "reviews reached a replica that could not hand them on to the one that records";
    this.#coverage.blind("replicas", { reasons: [{ code: "not-handed-on", message }], sinceMs });
    this.#coverage.seeing("replicas");
  }

  [Symbol.dispose](): void {
    this.#subscription.unsubscribe();
  }

  #tell(): void {
    const seen = this.#seen;
    if (seen === null || this.#sinceMs === null) return;
    if (!seen.covered) {
      if (seen.reasons.every(({ code }) => code === "pending")) return;
      // In the history they stand behind a colon.
      const reasons = seen.reasons.map(({ code, message }) => ({ code, message: message.replace(/\.$/, "") }));
      this.#coverage.blind(source, { reasons, sinceMs: Math.max(seen.sinceMs, this.#sinceMs) });
      this.#told = true;
      return;
    }
    if (this.#told) this.#coverage.seeing(source);
    this.#told = false;
  }
}
