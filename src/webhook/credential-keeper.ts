/**
 * Keeps the webhook's credentials: reads them from their Secret, shows them, and renews them there while this process is the one who may.
 *
 * It owns what is known of the Secret, and its rounds.
 * K1 The Secret is the only state. A step is in it before it is shown, and was decided on what was read from it (D1): so a process that
 *    ends at any instruction leaves a step done or not done, and the next one goes on from there.
 * K2 Credentials that are known are not given up: a Secret that was lost, or that somebody made unusable, is filled with them again, and
 *    then renewed, since whoever could do that may have read it.
 * K3 What is lost is left alone for a while: an installation that is being removed must not be brought back by its last process.
 */

import type { ApiServer, Clock, FileSystem, Log, Meter } from "../../actors/ports.ts";
import { certificatePlan } from "../../machines/certificate-plan.ts";
import type { CertificateStep, CertificateTimes } from "../../machines/certificate-plan.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Generation, ShownCredentials, WebhookCredentials } from "../../machines/webhook-credentials.ts";
import { advanced, shownOf, widened } from "../../machines/webhook-credentials.ts";
import type { FoundSecret, WrittenCredentials } from "./credential-secret.ts";
import { asksForRenewal, CredentialSecret } from "./credential-secret.ts";
import type { GenerationOptions } from "./generation.ts";
import { readMountedCredentials } from "./mounted-credentials.ts";
import { Rounds } from "./rounds.ts";

export interface CredentialKeeperOptions {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly files: Pick<FileSystem, "readFile">;
  readonly meter: Meter;
  readonly log: Log;
  readonly make: (order: Omit<GenerationOptions, "randomBytes">) => Promise<Generation>;
  /** Where the Secret is. */
  readonly namespace: string;
  readonly secret: string;
  /** DNS names that the certificates are for; the first is the Service's. */
  readonly hosts: readonly [string, ...string[]];
  /** Where the Secret is mounted; null: nowhere. */
  readonly directory: string | null;
  /** This process may write now. */
  readonly holds: () => boolean;
  /** Called with every change of what is to be shown, and before `openCredentialKeeper` resolves where it is mounted. */
  readonly show: (shown: ShownCredentials) => void;
  /** How long the webhook's configuration is known to say what `shown` wants; null: it does not, or nobody can tell. */
  readonly configuredForMs: (shown: ShownCredentials) => number | null;
  readonly times?: Partial<KeepingTimes>;
}

export interface KeepingTimes extends CertificateTimes {
  /** From one look at the Secret to the next. It must be well below `waitMs`. */
  readonly pollMs: number;
  /** How long what is lost is left alone (K3). */
  readonly lostForMs: number;
}

const usualTimes: KeepingTimes = {
  lifetimeMs: 90 * 24 * 3_600_000,
  waitMs: 120_000,
  pollMs: 30_000,
  lostForMs: 20_000,
};
/** Behind a step, or one that somebody else was faster with. */
const soonMs = 100;
const firstPollMs = 1000;

/** Resolves at once where the credentials are mounted, or else too: `show` comes when the Secret is filled and was read. */
export async function openCredentialKeeper(options: CredentialKeeperOptions): Promise<CredentialKeeper> {
  const { directory, hosts, files } = options;
  const mounted = directory === null ? null : await readMountedCredentials(directory, hosts[0], files);
  return new CredentialKeeper(options, mounted);
}

export class CredentialKeeper implements AsyncDisposable {
  readonly #options: CredentialKeeperOptions;
  readonly #times: KeepingTimes;
  readonly #secret: CredentialSecret;
  readonly #rounds: Rounds;
  #known: WebhookCredentials | null = null;
  #shown: ShownCredentials | null = null;
  /** By the round that was last. */
  #isRead = false;
  #asked = false;
  /** Monotonic: since when the Secret has been seen to hold nothing of use. */
  #lostSinceMs: number | null = null;
  #problem: string | null = null;

  constructor(options: CredentialKeeperOptions, mounted: WebhookCredentials | null) {
    const { clock, namespace, secret, hosts } = options;
    this.#options = options;
    this.#times = { ...usualTimes, ...options.times };
    this.#secret = new CredentialSecret(options, { namespace, name: secret, host: hosts[0] });
    this.#rounds = new Rounds({
      clock,
      round: (signal) => this.#round(signal),
      failed: (error) => this.#failed(error),
    });
    if (mounted !== null) this.#adopt(mounted);
    this.#rounds.soon();
  }

  /** What keeps the credentials from being read or renewed; null: nothing. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Looks now: this process has begun to hold, or the configuration was seen to say something else. */
  look(): void {
    this.#rounds.soon();
  }

  /** As `look`; resolves, when that is done, to what is shown. Null: nothing yet, or the Secret could not be read. */
  async looked(): Promise<ShownCredentials | null> {
    await this.#rounds.next();
    return this.#isRead ? this.#shown : null;
  }

  /** Renews the credentials as soon as this process may. */
  rotate(): void {
    this.#asked = true;
    this.#rounds.soon();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#rounds[Symbol.asyncDispose]();
  }

  async #round(signal: AbortSignal): Promise<number> {
    const restMs = await this.#work(signal);
    this.#problem = null;
    return restMs;
  }

  async #work(signal: AbortSignal): Promise<number> {
    this.#isRead = false;
    const found = await this.#secret.read(signal);
    this.#isRead = true;
    if (found.kind === "found" && found.read.kind === "usable") {
      this.#lostSinceMs = null;
      this.#adopt(found.read.credentials);
    } else {
      this.#noteLoss(found);
      if (this.#known !== null) return await this.#restore(found, this.#known, signal);
    }
    if (!this.#options.holds()) return this.#restMs;
    return await this.#renew(found, signal);
  }

  async #renew(found: FoundSecret, signal: AbortSignal): Promise<number> {
    const { clock, configuredForMs } = this.#options;
    const step = certificatePlan(
      {
        credentials: this.#known,
        asked: this.#asked || asksForRenewal(found),
        configuredForMs: this.#shown === null ? null : configuredForMs(this.#shown),
        nowMs: clock.nowMs(),
      },
      this.#times,
    );
    if (step.kind === "wait") return Math.min(step.forMs ?? this.#times.pollMs, this.#times.pollMs);
    const written = await this.#performed(step);
    if (written === null || !this.#options.holds()) return soonMs;
    if (!(await this.#secret.write(found, written, signal))) return soonMs;
    if (written.followed) this.#asked = false;
    const { phase } = written.credentials;
    this.#options.log.info("The webhook's credentials took a step of their renewal.", { step: step.kind, phase });
    if (step.kind === "create" || phase === "moved") this.#options.meter.count("webhook_certificate_renewals");
    this.#adopt(written.credentials);
    return soonMs;
  }

  async #performed(step: Exclude<CertificateStep, { readonly kind: "wait" }>): Promise<WrittenCredentials | null> {
    const known = this.#known;
    switch (step.kind) {
      case "create":
        return { credentials: { phase: "steady", current: await this.#make() }, followed: true };
      case "widen":
        if (known?.phase !== "steady") return null;
        return { credentials: widened(known, await this.#make()), followed: true };
      case "advance":
        if (known === null || known.phase === "steady") return null;
        return { credentials: advanced(known), followed: false };
      default:
        return step satisfies never;
    }
  }

  #make(): Promise<Generation> {
    const { hosts: names, clock, make } = this.#options;
    return make({ names, lifetimeMs: this.#times.lifetimeMs, nowMs: clock.nowMs() });
  }

  /** K2, K3. */
  async #restore(found: FoundSecret, known: WebhookCredentials, signal: AbortSignal): Promise<number> {
    const { clock, holds, log } = this.#options;
    const restMs = (this.#lostSinceMs ?? 0) + this.#times.lostForMs - clock.monotonicMs();
    if (restMs > 0) return Math.min(restMs, this.#times.pollMs);
    if (!holds()) return this.#times.pollMs;
    this.#asked = true;
    if (await this.#secret.write(found, { credentials: known, followed: false }, signal)) {
      log.info("The webhook's Secret holds its credentials again; they are renewed next.");
    }
    return soonMs;
  }

  #noteLoss(found: FoundSecret): void {
    const { clock, log, meter } = this.#options;
    if (this.#lostSinceMs !== null) return;
    this.#lostSinceMs = clock.monotonicMs();
    // As the installation makes it.
    if (this.#known === null && found.kind === "found" && found.read.kind === "empty") return;
    meter.count("webhook_credentials_lost");
    log.warn("The webhook's Secret holds no credentials that can be used. It is filled anew, if it is there.", {
      found: lostAs(found),
    });
  }

  /** Until there is something to show, everything waits for it. */
  get #restMs(): number {
    return this.#shown === null ? Math.min(firstPollMs, this.#times.pollMs) : this.#times.pollMs;
  }

  #adopt(credentials: WebhookCredentials): void {
    const shown = shownOf(credentials);
    this.#known = credentials;
    if (this.#shown !== null && isSame(this.#shown, shown)) return;
    this.#shown = shown;
    this.#options.show(shown);
  }

  #failed(error: unknown): number {
    const message = error instanceof Error ? error.message : "unknown";
    const code = error instanceof KubescribeError ? error.code : "unknown";
    if (message !== this.#problem) this.#options.log.warn(message, { code });
    this.#problem = message;
    return this.#restMs;
  }
}

function isSame(a: ShownCredentials, b: ShownCredentials): boolean {
  return (
    a.certPem === b.certPem &&
    a.keyPem === b.keyPem &&
    a.path === b.path &&
    sameList(a.paths, b.paths) &&
    sameList(a.trusted, b.trusted)
  );
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}

function lostAs(found: FoundSecret): string {
  if (found.kind === "missing") return "no such Secret";
  return found.read.kind === "unusable" ? found.read.reason : "nothing in it";
}
