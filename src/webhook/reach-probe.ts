/**
 * Whether reviews arrive at all: a dry run of an update of the installation's own Lease, with a label that asks for a review by an entry of
 * its own, which leads where all of them lead. Whoever takes that review answers with a warning, and the API server hands it on to who
 * asked for the dry run. So no right is needed but the one to renew the Lease, and any replica may take it.
 *
 * It owns what it last heard, and its rounds.
 * R1 With failurePolicy Ignore a webhook that cannot be reached is silent: a firewall between the control plane and the nodes, a Service
 *    without endpoints. Nothing else tells.
 * R2 An answer says something about the way only while the configuration is as it is wanted, and has been for a moment.
 * R3 A probe that fails is sent again at once. Two are a time without cover, from when the last one that arrived was sent.
 * R4 What cannot be asked, since there is no Lease or no right, says nothing.
 */

import type { ApiServer, Clock, Log, Meter } from "../../actors/ports.ts";
import { reachWarning } from "../../machines/webhook-credentials.ts";
import { reachLabel, reachValue } from "./configuration.ts";
import { Rounds } from "./rounds.ts";

/** Times are of the wall clock, ms since 1970. */
export type Reach =
  | { readonly kind: "unknown" }
  | { readonly kind: "reached"; readonly sinceMs: number }
  | { readonly kind: "unreached"; readonly sinceMs: number };

export interface ReachProbeOptions {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
  readonly namespace: string;
  readonly lease: string;
  /** This process asks: one of an installation is enough. */
  readonly holds: () => boolean;
  /** Whether the configuration has been as it is wanted for a moment; `again`: it is looked at first. */
  readonly isConfigured: (again: boolean) => Promise<boolean>;
  readonly changed: (reach: Reach) => void;
  readonly times?: Partial<ProbeTimes>;
}

export interface ProbeTimes {
  readonly probeMs: number;
  /** Behind one that failed. */
  readonly againMs: number;
}

const usualTimes: ProbeTimes = { probeMs: 10_000, againMs: 1000 };
/** Far beyond the webhook's own timeout. */
const patienceMs = 10_000;

export class ReachProbe implements AsyncDisposable {
  readonly #options: ReachProbeOptions;
  readonly #times: ProbeTimes;
  readonly #rounds: Rounds;
  #reach: Reach = { kind: "unknown" };
  /** Wall clock: when the last probe that arrived was sent, or when it was first asked. */
  #wellMs: number | null = null;
  #failures = 0;

  constructor(options: ReachProbeOptions) {
    this.#options = options;
    this.#times = { ...usualTimes, ...options.times };
    this.#rounds = new Rounds({
      clock: options.clock,
      round: (signal) => this.#round(signal),
      // An API server that does not answer says nothing about the way from there to here.
      failed: () => this.#times.probeMs,
    });
    this.#rounds.soon();
  }

  /** Asks now: this process has begun to hold, or the configuration is as it is wanted. */
  look(): void {
    this.#rounds.soon();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#rounds[Symbol.asyncDispose]();
  }

  async #round(signal: AbortSignal): Promise<number> {
    const { holds, isConfigured, clock } = this.#options;
    const { probeMs, againMs } = this.#times;
    if (!holds()) {
      this.#forget();
      return probeMs;
    }
    if (!(await isConfigured(this.#failures > 0))) {
      this.#failures = 0;
      return againMs;
    }
    const beganMs = clock.nowMs();
    const heard = await this.#ask(signal);
    if (heard === null || !holds()) return probeMs;
    if (heard) {
      this.#failures = 0;
      this.#wellMs = beganMs;
      if (this.#reach.kind !== "reached") this.#become({ kind: "reached", sinceMs: clock.nowMs() });
      return probeMs;
    }
    this.#failures += 1;
    this.#wellMs ??= beganMs;
    this.#options.meter.count("webhook_reach_failures");
    if (this.#failures === 1) return againMs;
    if (this.#reach.kind !== "unreached") this.#become({ kind: "unreached", sinceMs: this.#wellMs });
    return probeMs;
  }

  /** Null: nobody can tell. */
  async #ask(signal: AbortSignal): Promise<boolean | null> {
    const { api, clock, lease, namespace } = this.#options;
    const late = new AbortController();
    using _timer = clock.after(patienceMs, () => {
      late.abort();
    });
    const response = await api.request(
      {
        method: "PATCH",
        path: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${lease}?dryRun=All`,
        headers: { accept: "application/json", "content-type": "application/merge-patch+json" },
        body: Buffer.from(JSON.stringify({ metadata: { labels: { [reachLabel]: reachValue } } })),
      },
      AbortSignal.any([signal, late.signal]),
    );
    for await (const _chunk of response.body) {
      // Read to its end, so that the connection is free again.
    }
    return response.status === 200 ? (response.headers["warning"] ?? "").includes(reachWarning) : null;
  }

  #become(reach: Reach): void {
    this.#reach = reach;
    if (reach.kind === "unreached") {
      this.#options.log.error(
        "Reviews do not arrive, though the webhook's configuration is as it should be: changes have no authors. Is port 8443 of the pod open to the control plane, and has the Service an endpoint?",
      );
    } else if (reach.kind === "reached") this.#options.log.info("Reviews arrive.");
    this.#options.changed(reach);
  }

  #forget(): void {
    this.#failures = 0;
    this.#wellMs = null;
    if (this.#reach.kind !== "unknown") this.#become({ kind: "unknown" });
  }
}
