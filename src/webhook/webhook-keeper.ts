/**
 * Everything about the webhook of an installation that has to be kept: its credentials and its configuration, which wait for each other,
 * and what both come to. Owns both keepers and the probe.
 */

import type { Observable } from "rxjs";
import { BehaviorSubject, combineLatest, distinctUntilChanged, firstValueFrom, map, ReplaySubject } from "rxjs";

import type { ApiServer, Clock, FileSystem, Log, Meter } from "../../actors/ports.ts";
import type { ShownCredentials } from "../../machines/webhook-credentials.ts";
import type { ConfigurationWants, ReviewedType } from "./configuration.ts";
import { ConfigurationKeeper } from "./configuration-keeper.ts";
import type { LookingTimes } from "./configuration-keeper.ts";
import { type Coverage, joinedCoverage } from "./coverage.ts";
import type { CredentialKeeper, CredentialKeeperOptions, KeepingTimes } from "./credential-keeper.ts";
import { openCredentialKeeper } from "./credential-keeper.ts";
import { makeGeneration } from "./generation.ts";
import { type ProbeTimes, type Reach, ReachProbe } from "./reach-probe.ts";

export interface WebhookKeeperOptions {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly files: Pick<FileSystem, "readFile">;
  readonly meter: Meter;
  readonly log: Log;
  /** From a source that nobody can guess. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Name of the ValidatingWebhookConfiguration, of the Service and of the Lease; the Secret is `NAME-webhook`. */
  readonly installation: string;
  readonly namespace: string;
  /** Where the Secret is mounted; null: nowhere. */
  readonly directory: string | null;
  readonly certificates: "self" | "files";
  /** This process may write: asked before each write. */
  readonly holds: () => boolean;
  /** Labels of a configuration that has to be made because it is gone. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Where reviews are sent to; default: the Service. */
  readonly target?: ConfigurationWants["target"];
  readonly times?: Partial<KeepingTimes & LookingTimes & ProbeTimes>;
  /** Default: makeGeneration. A test gives some that are made already. */
  readonly make?: CredentialKeeperOptions["make"];
}

/** DNS names of the installation's Service; the first is what the API server asks for, the second a replica that calls another. */
export function webhookHosts(installation: string, namespace: string): readonly [string, string, string] {
  const host = `${installation}.${namespace}.svc`;
  return [host, `${host}.cluster.local`, "localhost"];
}

/** Resolves once the mounted credentials, if there are any, are shown; the API server is not waited for. */
export async function openWebhookKeeper(options: WebhookKeeperOptions): Promise<WebhookKeeper> {
  const { installation, namespace } = options;
  const shown$ = new ReplaySubject<ShownCredentials>(1);
  const reach$ = new BehaviorSubject<Reach>({ kind: "unknown" });
  const parts: { credentials?: CredentialKeeper; probe?: ReachProbe } = {};
  const configuration = new ConfigurationKeeper({
    ...options,
    name: installation,
    target: options.target ?? { service: installation },
    freshCredentials: async () => (await parts.credentials?.looked()) ?? null,
    carried: () => {
      parts.credentials?.look();
      parts.probe?.look();
    },
  });
  const credentials = await openCredentialKeeper({
    ...options,
    secret: `${installation}-webhook`,
    hosts: webhookHosts(installation, namespace),
    show: (shown) => {
      configuration.trust(shown);
      shown$.next(shown);
    },
    make: options.make ?? ((order) => makeGeneration({ ...order, randomBytes: options.randomBytes })),
    configuredForMs: (shown) => configuration.configuredForMs(shown),
  });
  const probe = new ReachProbe({
    ...options,
    lease: installation,
    isConfigured: (again) => configuration.isInForce(again),
    changed: (reach) => reach$.next(reach),
  });
  Object.assign(parts, { credentials, probe });
  const keeper = new WebhookKeeper({ credentials, configuration, probe }, { shown$, reach$ });
  options.meter.gauge("webhook_covered", () => (keeper.coverage.covered ? 1 : 0));
  return keeper;
}

interface Parts {
  readonly credentials: CredentialKeeper;
  readonly configuration: ConfigurationKeeper;
  readonly probe: ReachProbe;
}

interface Streams {
  readonly shown$: ReplaySubject<ShownCredentials>;
  readonly reach$: BehaviorSubject<Reach>;
}

export class WebhookKeeper implements AsyncDisposable {
  /** What is to be shown, taken and called from now on; the latest at once. */
  readonly shown$: Observable<ShownCredentials>;
  /** The present one at once. */
  readonly coverage$: Observable<Coverage>;
  readonly #parts: Parts;
  readonly #streams: Streams;

  constructor(parts: Parts, streams: Streams) {
    this.#parts = parts;
    this.#streams = streams;
    this.shown$ = streams.shown$.asObservable();
    this.coverage$ = combineLatest([parts.configuration.coverage$, streams.reach$]).pipe(
      map(([configuration, reach]) => joinedCoverage(configuration, reach)),
      distinctUntilChanged((a, b) => JSON.stringify(a) === JSON.stringify(b)),
    );
  }

  /** Resolves when there are credentials; rejects (EmptyError) when it is disposed of before. */
  shown(): Promise<ShownCredentials> {
    return firstValueFrom(this.shown$);
  }

  get coverage(): Coverage {
    return joinedCoverage(this.#parts.configuration.coverage, this.#streams.reach$.value);
  }

  /** Sentences about what a person has to mend. */
  get problems(): readonly string[] {
    const { credentials, configuration } = this.#parts;
    return [credentials.problem, configuration.problem].filter((problem) => problem !== null);
  }

  /** The types that are watched: reviews of them are asked for from now on. `coverage$` says when they come. */
  want(types: readonly ReviewedType[]): void {
    this.#parts.configuration.want(types);
  }

  /** This process has begun to hold: it looks at once. */
  look(): void {
    this.#parts.credentials.look();
    this.#parts.configuration.look();
    this.#parts.probe.look();
  }

  /** Renews the credentials as soon as this process holds, whatever their age. */
  rotate(): void {
    this.#parts.credentials.rotate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.probe[Symbol.asyncDispose]();
    await this.#parts.configuration[Symbol.asyncDispose]();
    await this.#parts.credentials[Symbol.asyncDispose]();
    this.#streams.reach$.complete();
    this.#streams.shown$.complete();
  }
}
