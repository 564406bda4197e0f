/**
 * Everything about the webhook of an installation that has to be kept: its credentials and its configuration, which wait for each other.
 * Owns both keepers.
 */

import type { Observable } from "rxjs";
import { ReplaySubject, firstValueFrom } from "rxjs";

import type { ApiServer, Clock, FileSystem, Log, Meter } from "../../actors/ports.ts";
import type { ShownCredentials } from "../../machines/webhook-credentials.ts";
import type { ConfigurationWants, ReviewedType } from "./configuration.ts";
import { ConfigurationKeeper } from "./configuration-keeper.ts";
import type { LookingTimes } from "./configuration-keeper.ts";
import type { Coverage } from "./coverage.ts";
import type { CredentialKeeper, CredentialKeeperOptions, KeepingTimes } from "./credential-keeper.ts";
import { openCredentialKeeper } from "./credential-keeper.ts";
import { makeGeneration } from "./generation.ts";

export interface WebhookKeeperOptions {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly files: Pick<FileSystem, "readFile">;
  readonly meter: Meter;
  readonly log: Log;
  /** From a source that nobody can guess. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Name of the ValidatingWebhookConfiguration and of the Service; the Secret is `NAME-webhook`. */
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
  readonly times?: Partial<KeepingTimes & LookingTimes>;
  /** Default: makeGeneration. A test gives some that are made already. */
  readonly make?: CredentialKeeperOptions["make"];
}

/** DNS names of the installation's Service; the first is what the API server asks for, and a replica that calls another. */
export function webhookHosts(installation: string, namespace: string): readonly [string, string, string] {
  const host = `${installation}.${namespace}.svc`;
  return [host, `${host}.cluster.local`, "localhost"];
}

/** Resolves once the mounted credentials, if there are any, are shown; the API server is not waited for. */
export async function openWebhookKeeper(options: WebhookKeeperOptions): Promise<WebhookKeeper> {
  const { installation, namespace } = options;
  const shown$ = new ReplaySubject<ShownCredentials>(1);
  let credentials: CredentialKeeper | null = null;
  const configuration = new ConfigurationKeeper({
    ...options,
    name: installation,
    target: options.target ?? { service: installation },
    freshCredentials: async () => {
      await credentials?.looked();
      return credentials?.shown ?? null;
    },
    carried: () => credentials?.look(),
  });
  credentials = await openCredentialKeeper({
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
  return new WebhookKeeper(credentials, configuration, shown$);
}

export class WebhookKeeper implements AsyncDisposable {
  /** What is to be shown, taken and called from now on; the latest at once. */
  readonly shown$: Observable<ShownCredentials>;
  /** The present one at once. */
  readonly coverage$: Observable<Coverage>;
  readonly #credentials: CredentialKeeper;
  readonly #configuration: ConfigurationKeeper;
  readonly #subject: ReplaySubject<ShownCredentials>;

  constructor(
    credentials: CredentialKeeper,
    configuration: ConfigurationKeeper,
    subject: ReplaySubject<ShownCredentials>,
  ) {
    this.#credentials = credentials;
    this.#configuration = configuration;
    this.#subject = subject;
    this.shown$ = subject.asObservable();
    this.coverage$ = configuration.coverage$;
  }

  /** Resolves when there are credentials; rejects (EmptyError) when it is disposed of before. */
  shown(): Promise<ShownCredentials> {
    return firstValueFrom(this.shown$);
  }

  get coverage(): Coverage {
    return this.#configuration.coverage;
  }

  /** Sentences about what a person has to mend. */
  get problems(): readonly string[] {
    return [this.#credentials.problem, this.#configuration.problem].filter((problem) => problem !== null);
  }

  /** The types that are watched: reviews of them are asked for from now on. `coverage$` says when they come. */
  want(types: readonly ReviewedType[]): void {
    this.#configuration.want(types);
  }

  /** This process has begun to hold: it looks at once. */
  look(): void {
    this.#credentials.look();
    this.#configuration.look();
  }

  /** Renews the credentials as soon as this process holds, whatever their age. */
  rotate(): void {
    this.#credentials.rotate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#configuration[Symbol.asyncDispose]();
    await this.#credentials[Symbol.asyncDispose]();
    this.#subject.complete();
  }
}
