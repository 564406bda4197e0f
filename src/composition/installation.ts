/**
 * This process as an installation of a cluster: it keeps the webhook, and records while it holds the Lease. Owns the Lease, the webhook's
 * keeper, what is said to other replicas, and when the recording begins and ends.
 *
 * 1. It records only while it holds the Lease, and has taken over what the last holder knew.
 * 2. A review that comes while somebody else holds it is handed on before it is answered.
 * 3. It goes in the order that loses nothing: the recording ends (flush, push), the Lease is given away, whoever takes it is told
 *    everything, and reviews are handed on until the listener closes.
 */
import type { Subscription } from "rxjs";

import { LeaseActor } from "../../actors/lease-actor.ts";
import type { ResourceType } from "../../machines/messages.ts";
import type { LeaseRecord } from "../../machines/lease.ts";
import type { ShownCredentials } from "../../machines/webhook-credentials.ts";
import type { RuleDocument } from "../config/documents.ts";
import type { Installation as InstallationOptions, RunOptions } from "../config/options.ts";
import { createLeaseStore } from "../kubernetes/lease-store.ts";
import { openWebhookKeeper, webhookHosts, type WebhookKeeper } from "../webhook/webhook-keeper.ts";
import type { CoverageKeeper } from "./coverage-keeper.ts";
import type { ClusterApi, EnginePorts, ReviewListener } from "./engine-ports.ts";
import type { Intake } from "./intake.ts";
import { listen } from "./listen.ts";
import type { Recorder } from "./recorder.ts";
import { Replicas } from "./replicas.ts";
import { WebhookCoverage } from "./webhook-coverage.ts";

export interface InstallationNeeds {
  readonly options: RunOptions;
  readonly installation: InstallationOptions;
  readonly api: ClusterApi;
  readonly intake: Intake;
  readonly recorder: Recorder;
  readonly coverage: CoverageKeeper;
  /** What is to be recorded; null: it is not known yet. */
  readonly accepted: () => readonly RuleDocument[] | null;
}

/** Another replica looks at the Lease that often, and then begins. */
const successionPatienceMs = 6_000;
const againMs = 5_000;

/** The Secret is read four times while a step waits. */
function renewalTimesOf({ renewalWaitSeconds }: InstallationOptions): {
  readonly waitMs: number;
  readonly pollMs: number;
} {
  const waitMs = renewalWaitSeconds * 1000;
  return { waitMs, pollMs: Math.min(30_000, waitMs / 4) };
}

export class Installation implements AsyncDisposable {
  readonly #needs: InstallationNeeds;
  readonly #ports: EnginePorts;
  readonly #webhook: WebhookKeeper;
  readonly #lease: LeaseActor;
  readonly #replicas: Replicas;
  readonly #webhookCoverage: WebhookCoverage;
  readonly #stack = new AsyncDisposableStack();
  #listener: ReviewListener | null = null;
  readonly #subscription: Subscription;
  /** The credentials as they are now; null: nobody has made them yet. */
  #shown: ShownCredentials | null = null;
  /** The Lease is held, and what the last holder knew is known here. */
  #inOffice = false;
  #turning: Promise<void> = Promise.resolve();
  #closing = false;

  /** The webhook's credentials are looked for, and the Lease is competed for; reviews are taken from `listen` on. */
  static async open(needs: InstallationNeeds, ports: EnginePorts): Promise<Installation> {
    let lease: LeaseActor | null = null;
    const { installation, options, api } = needs;
    const webhook = await openWebhookKeeper({
      ...ports,
      api,
      installation: installation.name,
      namespace: installation.namespace,
      directory: installation.webhookDir,
      times: renewalTimesOf(installation),
      certificates: options.admission.tls === null ? "self" : "files",
      holds: () => lease?.held ?? false,
    });
    const opened = new Installation(needs, ports, webhook);
    lease = opened.#lease;
    return opened;
  }

  private constructor(needs: InstallationNeeds, ports: EnginePorts, webhook: WebhookKeeper) {
    this.#needs = needs;
    this.#ports = ports;
    this.#webhook = webhook;
    const { installation, options, api, intake, coverage } = needs;
    intake.makeRoom();
    const { clock, log, meter } = ports;
    const { host, port } = { host: installation.podAddress, port: options.admission.address.port };
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    this.#subscription = webhook.shown$.subscribe((shown) => this.#show(shown));
    this.#webhookCoverage = new WebhookCoverage(webhook.coverage$, coverage.coverage);
    this.#lease = new LeaseActor({
      store: createLeaseStore({ api, namespace: installation.namespace, name: installation.name }),
      clock,
      log,
      identity: installation.podName,
      address,
      won: (before) => this.#won(before),
      lost: () => this.#lost(),
    });
    const peers = this.#stack.use(ports.connectPeers(() => this.#pass()));
    this.#replicas = new Replicas({
      intake,
      lease: this.#lease,
      post: (to, body, patienceMs) => peers.post({ address: to, body, patienceMs }),
      address,
      missed: (sinceMs) => this.#webhookCoverage.notHandedOn(sinceMs),
      clock,
      meter,
      log,
    });
  }

  /** Resolves when reviews are taken: at once where the credentials are mounted, else when somebody has made them. */
  async listen(): Promise<ReviewListener> {
    const { options, intake, coverage } = this.#needs;
    const shown = await this.#webhook.shown();
    const pair = { cert: Buffer.from(shown.certPem), key: Buffer.from(shown.keyPem) };
    const listener = await listen(
      {
        options,
        certificate: options.admission.tls ?? pair,
        paths: shown.paths,
        review: (body, handedOn) => this.#replicas.review(body, handedOn),
        intake,
        coverage,
      },
      this.#ports,
    );
    this.#listener = listener;
    // It may have changed while the listener began.
    this.#show(this.#shown ?? shown);
    return listener;
  }

  get holds(): boolean {
    return this.#lease.held;
  }

  /** What is accepted has changed. */
  follow(): void {
    const accepted = this.#needs.accepted();
    if (accepted !== null) this.#needs.recorder.expect(accepted);
    this.#record();
  }

  /** What is watched: it is to be reviewed. */
  watch(types: readonly ResourceType[]): void {
    if (this.#inOffice) this.#webhook.want(types);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#listener?.retire();
    await this.#turning;
    await this.#needs.recorder[Symbol.asyncDispose]();
    const held = this.#lease.held;
    this.#inOffice = false;
    await this.#lease.release();
    if (held) await this.#replicas.succeeded(successionPatienceMs);
    this.#subscription.unsubscribe();
    this.#webhookCoverage[Symbol.dispose]();
    await this.#listener?.[Symbol.asyncDispose]();
    await this.#webhook[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
  }

  #show(shown: ShownCredentials): void {
    this.#shown = shown;
    this.#listener?.takePaths(shown.paths);
    const pair = { cert: Buffer.from(shown.certPem), key: Buffer.from(shown.keyPem) };
    // Replicas know each other by the installation's own authority, whatever certificate the API server is shown.
    if (this.#needs.options.admission.tls === null) this.#listener?.showCertificate(pair);
    else this.#listener?.showCertificate(pair, this.#peerName);
  }

  #won(before: LeaseRecord): void {
    this.#ports.log.info("This process holds the Lease, and records.", { after: before.holder });
    this.#webhook.look();
    this.#assume(before);
  }

  /** Whatever keeps it from recording is tried again: nobody else will, while it holds the Lease. */
  #assume(before: LeaseRecord): void {
    const again = (): void => {
      if (this.#lease.held && !this.#inOffice) this.#assume(before);
    };
    this.#turn(async () => {
      // Another replica is spoken to with the installation's credentials.
      await this.#webhook.shown();
      if (!this.#lease.held) return;
      const clean = await this.#replicas.takeOver(before, this.#needs.installation.podName);
      if (!clean) this.#webhookCoverage.unattended(Date.parse(before.renewedAt));
      if (!this.#lease.held) return;
      this.#inOffice = true;
      this.#webhookCoverage.begin(this.#ports.clock.nowMs());
      this.#record();
    }, again);
  }

  #lost(): void {
    this.#inOffice = false;
    this.#needs.intake.makeRoom();
    this.#webhookCoverage.end();
    this.#needs.recorder.abandon();
  }

  #record(): void {
    const accepted = this.#needs.accepted();
    if (this.#inOffice && accepted !== null && !this.#closing) this.#needs.recorder.follow(accepted);
  }

  /** One after the other; `again` some time after a failure. */
  #turn(work: () => Promise<void>, again: () => void): void {
    this.#turning = this.#turning.then(async () => {
      if (this.#closing) return;
      try {
        await work();
      } catch (error) {
        const reason = error instanceof Error ? error.message : "unknown";
        this.#ports.log.error("The office of the Lease could not be taken over; it is tried again.", { reason });
        this.#ports.clock.after(againMs, again);
      }
    });
  }

  #pass(): { readonly ca: string; readonly serverName: string; readonly path: string } | null {
    const shown = this.#shown;
    return shown === null ? null : { ca: shown.trusted.join(""), serverName: this.#peerName, path: shown.path };
  }

  /** The API server asks for the first. */
  get #peerName(): string {
    const { name, namespace } = this.#needs.installation;
    return webhookHosts(name, namespace)[1];
  }
}
