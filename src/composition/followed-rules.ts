/**
 * Follows the rule documents of the cluster: what of them is accepted is recorded, and each is told in its status what became of it. Owns
 * the documents as they are now, and what was made of them.
 *
 * 1. What is recorded changes when the meaning of what is accepted does: a status, a label or an order is no change.
 * 2. A document that cannot be used stops nobody else. One that could be used before, and cannot any more, is recorded no more: nobody
 *    knows what it was meant to say.
 */
import type { Timer } from "../../actors/ports.ts";
import { acceptDocuments, type Acceptances } from "../config/accept-documents.ts";
import { KubescribeError } from "../../machines/error.ts";
import { targetChecks } from "../commands/check-run.ts";
import type { GitRepoConfig, RuleDocument } from "../config/documents.ts";
import { titleOf } from "../config/documents.ts";
import type { RunOptions } from "../config/options.ts";
import { withOwnRules } from "../config/own-rules.ts";
import { ApiObjects } from "../kubernetes/objects.ts";
import { ClusterDocuments, type StoredDocument } from "./cluster-documents.ts";
import { isSecret, type ObjectKind } from "../sanitize/sanitize.ts";
import { CredentialFiles } from "./credential-files.ts";
import { type DocumentStatus, documentStatusOf } from "./document-status.ts";
import type { ClusterApi, EnginePorts } from "./engine-ports.ts";
import type { Recording } from "./recording.ts";
import { StatusWriter } from "./status-writer.ts";

export interface FollowedRulesOptions {
  readonly options: RunOptions;
  readonly api: ClusterApi;
  /** What is to be recorded has changed. */
  readonly changed: () => void;
  /** What records; null: nothing does. */
  readonly recording: () => Recording | null;
  /** Whether this process may write. */
  readonly holds: () => boolean;
  /** Why keys are not kept as they should be; null: they are. */
  readonly keysTrouble: () => Trouble | null;
}

const lookEveryMs = 60_000;
const troubledEveryMs = 5_000;

export class FollowedRules implements AsyncDisposable {
  readonly #options: FollowedRulesOptions;
  readonly #ports: EnginePorts;
  readonly #stack = new AsyncDisposableStack();
  readonly #secrets: CredentialFiles | null;
  readonly #closing = new AbortController();
  #documents: readonly StoredDocument[] = [];
  #acceptances: Acceptances = new Map();
  readonly #troubles = new Map<string, Trouble>();
  /** Accepted by what they say. */
  #candidates: readonly RuleDocument[] = [];
  /** What a target meant when it was found usable, by its title. */
  readonly #proven = new Map<string, string>();
  #accepted: readonly RuleDocument[] | null = null;
  #meaning = "";
  #timer: Timer | null = null;
  #taking: Promise<void> = Promise.resolve();

  constructor(options: FollowedRulesOptions, ports: EnginePorts) {
    this.#options = options;
    this.#ports = ports;
    const { api, options: run } = options;
    const objects = new ApiObjects(api);
    const { files, clock, log } = ports;
    const { credentialsDir: directory, installation } = run;
    const account = installation === null ? null : { name: installation.name, namespace: installation.namespace };
    this.#secrets = directory === null ? null : new CredentialFiles({ objects, files, directory, account });
    this.#stack.use(new ClusterDocuments(api, ports, (documents) => this.#take(documents)));
    this.#stack.use(new StatusWriter({ objects, clock, log, read: () => this.#statuses() }));
  }

  /** What is to be recorded; null: the documents are not known yet. */
  get accepted(): readonly RuleDocument[] | null {
    return this.#accepted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#timer?.[Symbol.dispose]();
    await this.#stack.disposeAsync();
    await this.#taking;
  }

  #take(documents: readonly StoredDocument[]): void {
    this.#documents = documents;
    this.#taking = this.#taking.then(() => this.#accept());
  }

  async #accept(): Promise<void> {
    const { log } = this.#ports;
    const before = this.#acceptances;
    this.#acceptances = acceptDocuments(this.#documents, this.#options.options.allow);
    const accepted: RuleDocument[] = [];
    for (const [title, acceptance] of this.#acceptances) {
      if (acceptance.kind === "accepted") accepted.push(acceptance.document);
      else if (before.get(title)?.kind !== "refused")
        log.warn("A rule document is not followed.", { document: title, reason: acceptance.message });
    }
    accepted.sort((a, b) => (titleOf(a) < titleOf(b) ? -1 : 1));
    this.#candidates = accepted;
    await this.#look();
  }

  /** Before what is accepted is recorded, and again and again: Secrets and repositories change without anybody telling. */
  async #look(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#troubles.clear();
    const unusable = new Set<string>();
    for (const config of this.#candidates) {
      if (config.kind !== "GitRepoConfig" || this.#closing.signal.aborted) continue;
      const wrong = await this.#wrongWith(config);
      if (wrong !== null) {
        this.#troubles.set(titleOf(config), wrong);
        unusable.add(`${config.namespace}/${config.name}`);
        continue;
      }
      const trouble = await this.#bringSecret(config);
      if (trouble !== null) this.#troubles.set(titleOf(config), trouble);
    }
    if (this.#closing.signal.aborted) return;
    const everyMs = this.#troubles.size > 0 ? troubledEveryMs : lookEveryMs;
    this.#timer = this.#ports.clock.after(everyMs, () => {
      this.#taking = this.#taking.then(() => this.#look());
    });
    this.#settle(this.#candidates.filter((document) => !unusable.has(targetIdOf(document))));
  }

  #settle(usable: readonly RuleDocument[]): void {
    const next = withOwnRules(usable);
    const meaning = meaningOf(next);
    if (this.#accepted !== null && meaning === this.#meaning) return;
    this.#accepted = next;
    this.#meaning = meaning;
    this.#options.changed();
  }

  /** What no remote is waited for: a directory, a key. */
  async #wrongWith(config: GitRepoConfig): Promise<Trouble | null> {
    const title = titleOf(config);
    const meaning = meaningOf([config]);
    // What worked once and fails later, its branch waits for: a full disk must not take the rule away.
    if (this.#proven.get(title) === meaning) return null;
    for (const check of targetChecks) {
      try {
        await check(config, this.#ports.files);
      } catch (error) {
        if (!(error instanceof KubescribeError)) throw error;
        return { reason: "Unusable", message: error.message };
      }
    }
    this.#proven.set(title, meaning);
    return null;
  }

  /** Without it the remote may still be reached, or reached later: it is recorded all the same. */
  async #bringSecret({ remote }: GitRepoConfig): Promise<Trouble | null> {
    const secret = remote?.secret ?? null;
    if (secret === null) return null;
    return this.#secrets === null ? noPlace : await this.#secrets.bring(secret, this.#closing.signal);
  }

  #statuses(): readonly (readonly [StoredDocument, DocumentStatus])[] | null {
    if (!this.#options.holds()) return null;
    return this.#documents.flatMap((document) => {
      const status = this.#statusOf(document);
      return status === null ? [] : [[document, status] as const];
    });
  }

  #statusOf(document: StoredDocument): DocumentStatus | null {
    const title = titleOf(document);
    const acceptance = this.#acceptances.get(title);
    if (acceptance === undefined) return null;
    const recording = this.#options.recording();
    const sources = recording?.sources ?? null;
    const trouble = this.#troubles.get(title) ?? null;
    if (recording === null || sources === null)
      return documentStatusOf(document.kind, acceptance, { watches: [], trouble, recording: false });
    const targetId = targetOf(acceptance);
    const { watches: all } = sources.watches;
    const watches = all.filter(({ type }) => targetId !== null && recording.rules.wantsOf(targetId, type.key, title));
    const branch = targetId === null ? undefined : sources.branches.get(targetId)?.status();
    const upstream = targetId === null ? undefined : sources.upstreams.actors.get(targetId)?.status();
    const keysTrouble = needsKeys(acceptance, watches) ? this.#options.keysTrouble() : null;
    return documentStatusOf(document.kind, acceptance, {
      watches,
      trouble: trouble ?? keysTrouble,
      recording: true,
      ...(branch === undefined ? {} : { branch }),
      ...(upstream === undefined ? {} : { upstream }),
    });
  }
}

/** Why something that is accepted does not work. */
interface Trouble {
  readonly reason: string;
  readonly message: string;
}

const noPlace: Trouble = {
  reason: "Forbidden",
  message: "spec.secretRef: this process has no --credentials-dir to keep Secrets in; add it, or take secretRef away",
};

function targetOf(acceptance: NonNullable<ReturnType<Acceptances["get"]>>): string | null {
  return acceptance.kind === "refused" ? null : targetIdOf(acceptance.document);
}

/** Something stands for values of Secrets in its files. */
function needsKeys(
  acceptance: NonNullable<ReturnType<Acceptances["get"]>>,
  watches: readonly { readonly type: ObjectKind }[],
): boolean {
  if (acceptance.kind === "refused" || acceptance.document.kind !== "GitRepoConfig") return false;
  return acceptance.document.secrets.policy !== "keep" && watches.some(({ type }) => isSecret({}, type));
}

/** Of the target that a document is about. */
function targetIdOf(document: RuleDocument): string {
  const { namespace, name } = document.kind === "GitRepoConfig" ? document : document.repo;
  return `${namespace}/${name}`;
}

/** Without places: where a line stands means nothing. */
function meaningOf(documents: readonly RuleDocument[]): string {
  return JSON.stringify(documents, (key, value: unknown) => (key === "place" ? undefined : value));
}
