/**
 * The keys of an installation: in a Secret beside the data directory, so that a pod that begins with nothing goes on with the keys of the one
 * before. Owns what is known of the Secret, what of it is used, and its rounds.
 *
 * N1 The Secret decides; the data directory has copies, which serve where the Secret cannot be had.
 * N2 Only the holder of the Lease writes, and against what was read: who comes second takes what is there.
 * N3 What somebody made unusable is neither used nor overwritten: a person has to look at it.
 * N4 What is used stands in the Secret again when it was emptied; where another key stands in it, what records begins again, with that.
 */

import type { ApiServer, Clock, FileSystem, Log } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { installationKeyName } from "../keys/installation-key.ts";
import { KeyDirectory } from "../keys/key-directory.ts";
import { faultOf, keysIn, type KeyTexts, type NamedTexts, withRoomFor } from "../keys/key-texts.ts";
import type { Account } from "../manifests/secret-role.ts";
import { keysSecretName } from "../manifests/secret-role.ts";
import { Rounds } from "../webhook/rounds.ts";
import { type FoundTexts, SecretTexts } from "../webhook/secret-texts.ts";
import {
  forbiddenKeys,
  lineOf,
  lostKey,
  fullKeys,
  type KeysTrouble,
  missingKeys,
  unreachableKeys,
  unusableKeys,
} from "./keys-trouble.ts";

export interface InstallationKeysOptions {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly log: Log;
  readonly files: FileSystem;
  /** Absolute; its lock is held. */
  readonly dataDir: string;
  /** Of the installation, and of its ServiceAccount. */
  readonly account: Account;
}

/** An Installation serves. */
export interface KeysOffice {
  /** This process may write now. */
  readonly holds: boolean;
  /** What records is to begin again. */
  follow(): void;
}

const lookEveryMs = 15_000;
const troubledEveryMs = 5_000;
/** So long a pod without keys of its own asks for those of the Secret, before it makes others. */
const insistenceMs = 15_000;
/** An API server takes a MiB. */
const limitBytes = 512 * 1024;
/** Whoever writes there all the time must not hold up what records. */
const attempts = 5;

export class InstallationKeys implements AsyncDisposable {
  readonly #options: InstallationKeysOptions;
  readonly #secret: SecretTexts;
  readonly #directory: KeyDirectory;
  readonly #rounds: Rounds;
  /** Null: it is not there yet. */
  office: KeysOffice | null = null;
  /** As it was read last, where it can be used; null: it cannot be had. */
  #found: FoundTexts | null = null;
  #used = new Map<string, string>();
  #trouble: KeysTrouble | null = null;
  /** Monotonic: since when the Secret could not be read. */
  #unreadSinceMs: number | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: InstallationKeysOptions) {
    const { account, files, dataDir, clock } = options;
    this.#options = options;
    const name = keysSecretName(account.name);
    this.#secret = new SecretTexts(options, { namespace: account.namespace, name });
    this.#directory = new KeyDirectory(files, dataDir);
    this.#rounds = new Rounds({
      clock,
      round: (signal) => this.#inTurn(() => this.#look(signal)),
      failed: (error) => {
        options.log.warn(error instanceof Error ? error.message : "unknown");
        return troubledEveryMs;
      },
    });
    this.#rounds.soon();
  }

  /** Why the Secret does not hold the keys that are used, and what to do; null: it does. */
  get trouble(): KeysTrouble | null {
    return this.#trouble;
  }

  /** The keys for what begins to record now. Throws what time may mend (`retry`: backoff). */
  begin(signal: AbortSignal): Promise<KeyTexts> {
    return this.#inTurn(async () => {
      this.#used = new Map();
      const trouble = await this.#read(signal);
      this.#tell(trouble);
      if (trouble !== null && this.#insists && (await this.#directory.read(installationKeyName)) === null)
        throw new KubescribeError("installation-keys-unread", lineOf(trouble), { retry: "backoff" });
      return { take: (name, make) => this.#inTurn(() => this.#take(name, { make, signal })) };
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#rounds[Symbol.asyncDispose]();
  }

  async #take(
    name: string,
    { make, signal }: { readonly make: () => Promise<string>; readonly signal: AbortSignal },
  ): Promise<string> {
    let own: string | null = null;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const shared = this.#found?.texts[name] ?? "";
      if (shared !== "") return await this.#adopt(name, shared);
      own ??= (await this.#directory.read(name)) ?? (await make());
      if (this.#found === null || (await this.#write({ [name]: own }, signal)) !== "outrun")
        return await this.#adopt(name, own);
    }
    const message = `${this.#said}: expected to write to it, found that somebody else is faster each time`;
    throw new KubescribeError("installation-keys-contended", message, { retry: "backoff" });
  }

  /** It is used, and the data directory has it. */
  async #adopt(name: string, text: string): Promise<string> {
    // A copy that is damaged is mended where the Secret has a whole one.
    const copy = await this.#directory.read(name).catch(() => null);
    if (copy !== text) await this.#directory.write(name, text);
    this.#used.set(name, text);
    return text;
  }

  async #look(signal: AbortSignal): Promise<number> {
    if (!this.#mayWrite || this.#used.size === 0) return troubledEveryMs;
    const read = await this.#read(signal);
    if (this.#found === null) {
      this.#tell(read);
      return troubledEveryMs;
    }
    const { texts } = this.#found;
    const used = [...this.#used];
    if (used.some(([name, text]) => (texts[name] ?? "") !== "" && texts[name] !== text)) {
      this.#options.log.info(`${this.#said} holds another key than the one that is used: what records begins again.`);
      this.office?.follow();
      return lookEveryMs;
    }
    const lacking = used.filter(([name]) => (texts[name] ?? "") === "");
    if (lacking.length === 0 || (await this.#write(Object.fromEntries(lacking), signal)) === "written")
      this.#tell(null);
    return this.#trouble === null ? lookEveryMs : troubledEveryMs;
  }

  /** Null: it can be used. */
  async #read(signal: AbortSignal): Promise<KeysTrouble | null> {
    const { account, clock } = this.#options;
    this.#found = null;
    let found: FoundTexts | null;
    try {
      found = await this.#secret.read(signal);
      this.#unreadSinceMs = null;
    } catch (error) {
      this.#unreadSinceMs ??= clock.monotonicMs();
      return this.#troubleOf(error, signal);
    }
    if (found === null) return missingKeys(account);
    const keys = keysIn(found.texts);
    for (const [name, text] of Object.entries(keys)) {
      const fault = faultOf(name, text);
      if (fault !== null) return unusableKeys(account, name, fault);
    }
    if (Object.keys(keys).length > 0 && keys[installationKeyName] === undefined)
      return unusableKeys(account, installationKeyName, lostKey);
    this.#found = found;
    return null;
  }

  /** `outrun`: somebody else wrote meanwhile, and it was read again. */
  async #write(added: NamedTexts, signal: AbortSignal): Promise<"written" | "outrun" | "failed"> {
    const { account, log } = this.#options;
    const found = this.#found;
    if (found === null) return "failed";
    if (!this.#mayWrite) {
      const message = `${this.#said} is left to the holder of the Lease, which is no longer this process`;
      throw new KubescribeError("lease-lost", message, { retry: "backoff" });
    }
    const texts = withRoomFor(found.texts, added, { used: new Set(this.#used.keys()), limitBytes });
    if (texts === null) {
      this.#tell(fullKeys(account, limitBytes));
      return "failed";
    }
    try {
      const written = await this.#secret.replace(found, texts, signal);
      if (written === null) {
        this.#tell(await this.#read(signal));
        return "outrun";
      }
      this.#found = written;
      log.info(`${this.#said} holds keys that are used.`, { names: Object.keys(added).join(" ") });
      return "written";
    } catch (error) {
      this.#tell(this.#troubleOf(error, signal));
      return "failed";
    }
  }

  #troubleOf(error: unknown, signal: AbortSignal): KeysTrouble {
    if (signal.aborted || !(error instanceof KubescribeError)) throw error;
    const { account } = this.#options;
    return error.code === "webhook-forbidden" ? forbiddenKeys(account) : unreachableKeys(account, error.message);
  }

  get #mayWrite(): boolean {
    return this.office?.holds ?? false;
  }

  get #insists(): boolean {
    const sinceMs = this.#unreadSinceMs;
    return sinceMs !== null && this.#options.clock.monotonicMs() - sinceMs < insistenceMs;
  }

  /** What to do is in the condition: a log has no room for YAML. */
  #tell(trouble: KeysTrouble | null): void {
    const before = this.#trouble?.message;
    this.#trouble = trouble;
    if (trouble === null || trouble.message === before) return;
    const level = trouble.reason === "Unusable" ? "error" : "warn";
    this.#options.log[level]("The installation's keys are not kept in their Secret: the data directory's serve.", {
      reason: trouble.reason,
      detail: lineOf(trouble),
    });
  }

  get #said(): string {
    const { namespace, name } = this.#options.account;
    return `Secret ${namespace}/${keysSecretName(name)}`;
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
