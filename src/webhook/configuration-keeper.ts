/**
 * Keeps the ValidatingWebhookConfiguration as it is wanted: looks at it, says what it means for reviews, and puts it right while this
 * process is the one who may.
 *
 * It owns what was seen last, the plan of repairs, and its rounds.
 * V1 What is written stands on what was read, and on credentials that were read after that: a process whose knowledge is old takes no
 *    trust away that another one has just given.
 * V2 What is wanted anew is written at once. What somebody else has changed is a repair, and of those there are few (repair-plan.ts).
 * V3 A configuration that is gone is left alone for a while: an installation that is being removed must leave none behind.
 */

import type { Observable } from "rxjs";

import type { ApiServer, Clock, Log, Meter } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { isFought, noRepairs, repairableAtMs, repairHeld, repairMade } from "../../machines/repair-plan.ts";
import type { RepairPlan } from "../../machines/repair-plan.ts";
import type { ShownCredentials } from "../../machines/webhook-credentials.ts";
import { ClusterDocument } from "./cluster-document.ts";
import type { ConfigurationWants, ReviewedType } from "./configuration.ts";
import { webhooksFor } from "./configuration.ts";
import type { Judgement, Wanted } from "./configuration-judge.ts";
import { judgeConfiguration, mendedWebhooks } from "./configuration-judge.ts";
import type { Coverage, SeenState } from "./coverage.ts";
import { CoverageLog, isSameState } from "./coverage.ts";
import { type JsonObject, objectOf, textOf } from "./json-value.ts";
import { Rounds } from "./rounds.ts";

export interface ConfigurationKeeperOptions extends Pick<ConfigurationWants, "namespace" | "target" | "certificates"> {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
  /** Of the ValidatingWebhookConfiguration. */
  readonly name: string;
  /** Of one that has to be made. */
  readonly labels?: Readonly<Record<string, string>>;
  /** This process may write now. */
  readonly holds: () => boolean;
  /** Reads the credentials again; null: there are none yet, or they cannot be read. */
  readonly freshCredentials: () => Promise<ShownCredentials | null>;
  /** Called when the configuration has begun to say what the credentials want. */
  readonly carried: () => void;
  readonly times?: Partial<LookingTimes>;
}

export interface LookingTimes {
  readonly lookMs: number;
  /** From a write until API servers go by it. */
  readonly settleMs: number;
  /** How long a configuration that is gone is left alone (V3). */
  readonly goneForMs: number;
  /** How long it may be unreadable before that is a time without cover. */
  readonly unreadForMs: number;
}

const usualTimes: LookingTimes = { lookMs: 10_000, settleMs: 1000, goneForMs: 20_000, unreadForMs: 60_000 };
/** Behind a write that somebody else was faster with. */
const againMs = 1000;

export class ConfigurationKeeper implements AsyncDisposable {
  readonly coverage$: Observable<Coverage>;
  readonly #options: ConfigurationKeeperOptions;
  readonly #times: LookingTimes;
  readonly #document: ClusterDocument;
  readonly #rounds: Rounds;
  readonly #coverage: CoverageLog;
  #types: readonly ReviewedType[] | null = null;
  #shown: ShownCredentials | null = null;
  #seen: { readonly document: JsonObject | null; readonly state: SeenState | null } | null = null;
  /** What was wanted when it was written, or found right, last; and how the configuration stood then. */
  #settled: { readonly wants: string; readonly state: SeenState | null } | null = null;
  /** Since when it has said what is shown wants, in a state that nobody has touched. */
  #carried: { readonly shown: ShownCredentials; readonly state: SeenState; readonly sinceMs: number } | null = null;
  #repairs: RepairPlan = noRepairs;
  /** Monotonic, as all of these. */
  #wroteMs = Number.NEGATIVE_INFINITY;
  #goneSinceMs: number | null = null;
  #readMs: number;
  #reading = false;
  #problem: string | null = null;

  constructor(options: ConfigurationKeeperOptions) {
    const { clock, meter, name } = options;
    this.#options = options;
    this.#times = { ...usualTimes, ...options.times };
    this.#document = new ClusterDocument(options, {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      collection: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
      name,
    });
    this.#coverage = new CoverageLog(clock.nowMs());
    this.coverage$ = this.#coverage.coverage$;
    this.#readMs = clock.monotonicMs();
    this.#rounds = new Rounds({
      clock,
      round: (signal) => this.#round(signal),
      failed: (error) => this.#failed(error),
    });
    meter.gauge("webhook_configuration_fought", () => (isFought(this.#repairs) ? 1 : 0));
  }

  get coverage(): Coverage {
    return this.#coverage.current;
  }

  /** What keeps it from being as it is wanted; null: nothing. */
  get problem(): string | null {
    if (this.#problem !== null) return this.#problem;
    if (!isFought(this.#repairs)) return null;
    return "Somebody changes the webhook's configuration back again and again: it is repaired less and less often.";
  }

  /** Types that are to be reviewed from now on, but for the rule documents, which always are. */
  want(types: readonly ReviewedType[]): void {
    this.#types = types;
    this.#judgeAnew();
    this.#rounds.soon();
  }

  /** What reviews are to be sent with from now on. */
  trust(shown: ShownCredentials): void {
    this.#shown = shown;
    this.#judgeAnew();
    this.#rounds.soon();
  }

  /** See CredentialKeeperOptions. */
  configuredForMs(shown: ShownCredentials): number | null {
    if (this.#carried?.shown !== shown) return null;
    return this.#options.clock.monotonicMs() - this.#carried.sinceMs;
  }

  /** Looks now: this process has begun to hold. */
  look(): void {
    this.#rounds.soon();
  }

  /** Whether API servers go by what the credentials want; `again`: after another look. */
  async isInForce(again: boolean): Promise<boolean> {
    if (again) await this.#rounds.next();
    const forMs = this.#shown === null ? null : this.configuredForMs(this.#shown);
    return forMs !== null && forMs >= this.#times.settleMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rounds[Symbol.asyncDispose]();
    this.#coverage[Symbol.dispose]();
  }

  async #round(signal: AbortSignal): Promise<number> {
    const { clock, holds } = this.#options;
    const began = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
    this.#reading = true;
    const document = await this.#document.read(signal);
    this.#reading = false;
    this.#readMs = clock.monotonicMs();
    const state = document === null ? null : stateOf(document);
    this.#seen = { document, state };
    this.#goneSinceMs = document === null ? (this.#goneSinceMs ?? began.monotonicMs) : null;
    const wanted = this.#wanted(this.#shown);
    if (wanted === null) return this.#times.lookMs;
    const judgement = judgeConfiguration(document, wanted);
    this.#note(judgement, { shown: wanted.shown, state, nowMs: began.monotonicMs });
    const settlesAtMs = this.#wroteMs + this.#times.settleMs;
    // What was written is not in force everywhere yet.
    if (judgement.reasons.length === 0 && began.monotonicMs < settlesAtMs && !this.coverage.covered) {
      return settlesAtMs - began.monotonicMs;
    }
    this.#coverage.looked({ state, reasons: judgement.reasons, beganMs: began.wallMs, endedMs: clock.nowMs() });
    if (!judgement.differs) {
      this.#problem = null;
      this.#settled = { wants: wantsOf(wanted), state };
      this.#repairs = repairHeld(this.#repairs, clock.monotonicMs());
    } else if (holds()) return await this.#mend(signal);
    return this.#times.lookMs;
  }

  async #mend(signal: AbortSignal): Promise<number> {
    const { clock, freshCredentials, holds, labels = {}, log, meter } = this.#options;
    const { lookMs, settleMs } = this.#times;
    const before = this.#seen;
    const restMs = this.#restBeforeMending();
    if (restMs > 0) return Math.min(restMs, lookMs);
    const shown = await freshCredentials();
    const wanted = this.#wanted(shown);
    if (before === null || wanted === null || !holds()) return lookMs;
    const isRepair = this.#isRepair(wanted);
    const { document } = before;
    const written =
      document === null
        ? await this.#document.create({ metadata: { labels }, webhooks: wanted.webhooks }, signal)
        : await this.#document.replace({ ...document, webhooks: mendedWebhooks(document, wanted) }, signal);
    if (written === null) return againMs;
    const nowMs = clock.monotonicMs();
    const state = stateOf(written);
    const judgement = judgeConfiguration(written, wanted);
    this.#wroteMs = nowMs;
    this.#problem = null;
    this.#seen = { document: written, state };
    this.#settled = { wants: wantsOf(wanted), state };
    this.#coverage.wrote(state);
    this.#note(judgement, { shown: wanted.shown, state, nowMs });
    if (isRepair) {
      this.#repairs = repairMade(this.#repairs, nowMs);
      meter.count("webhook_configuration_repairs");
    }
    const types = wanted.webhooks
      .flatMap(({ rules }) => rules)
      .reduce((sum, { resources }) => sum + resources.length / 2, 0);
    log.info(isRepair ? "The webhook's configuration was repaired." : "The webhook's configuration was written.", {
      types,
    });
    if (isRepair && isFought(this.#repairs)) {
      log.warn("Somebody changes the webhook's configuration back again and again; it is repaired less often now.", {
        nextInSeconds: Math.round((repairableAtMs(this.#repairs) - nowMs) / 1000),
      });
    }
    return settleMs;
  }

  /** Somebody else has changed what was written, or found right, before; and nothing new is wanted. */
  #isRepair(wanted: Wanted): boolean {
    return this.#settled !== null && this.#settled.wants === wantsOf(wanted);
  }

  /** V2, V3. */
  #restBeforeMending(): number {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const wanted = this.#wanted(this.#shown);
    const goneMs = this.#goneSinceMs === null ? 0 : this.#goneSinceMs + this.#times.goneForMs - nowMs;
    const repairMs = wanted !== null && this.#isRepair(wanted) ? repairableAtMs(this.#repairs) - nowMs : 0;
    // A configuration that this process has never seen is not gone.
    return Math.max(this.#settled === null ? 0 : goneMs, repairMs);
  }

  #note({ carries }: Judgement, seen: { shown: ShownCredentials; state: SeenState | null; nowMs: number }): void {
    const { shown, state, nowMs } = seen;
    const last = this.#carried;
    if (!carries || state === null) this.#carried = null;
    else if (last === null || last.shown !== shown || !isSameState(last.state, state)) {
      this.#carried = { shown, state, sinceMs: nowMs };
      this.#options.carried();
    }
  }

  /** What was seen last may not do for what is wanted now. */
  #judgeAnew(): void {
    const wanted = this.#wanted(this.#shown);
    if (wanted === null || this.#seen === null) return;
    this.#coverage.needed(judgeConfiguration(this.#seen.document, wanted).reasons, this.#options.clock.nowMs());
  }

  #wanted(shown: ShownCredentials | null): Wanted | null {
    const { namespace, target, certificates } = this.#options;
    if (this.#types === null || shown === null) return null;
    const webhooks = webhooksFor({ namespace, target, certificates, types: this.#types, shown });
    return { webhooks, shown, certificates };
  }

  #failed(error: unknown): number {
    const { clock, log } = this.#options;
    const message = error instanceof Error ? error.message : "unknown";
    const code = error instanceof KubescribeError ? error.code : "unknown";
    if (message !== this.#problem) log.warn(message, { code });
    this.#problem = message;
    const unreadMs = clock.monotonicMs() - this.#readMs;
    const isForbidden = code === "webhook-forbidden" && this.#reading;
    if (isForbidden || unreadMs >= this.#times.unreadForMs) this.#coverage.unobserved(message);
    return this.#times.lookMs;
  }
}

function stateOf(document: JsonObject): SeenState {
  const { uid, generation } = objectOf(document["metadata"]);
  return { uid: textOf(uid), generation: Number(generation) };
}

function wantsOf({ webhooks }: Wanted): string {
  return JSON.stringify(webhooks);
}
