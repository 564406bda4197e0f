/**
 * Owns the upstream actors, one for each branch that has a remote, and the first contacts with remotes.
 *
 * 1. An actor begins once its local repository is there: an earlier process left it, or the first contact made it.
 * 2. Branches of one remote share a repository, and fetch into it one after the other.
 * 3. A remote that does not answer its first contact holds up nobody but its own targets, and these are opened late.
 */

import { join } from "node:path";
import { UpstreamActor } from "../../actors/upstream-actor.ts";
import type { Mirrors, Remote } from "../../actors/ports.ts";
import { isAllowed } from "../config/allowed.ts";
import type { CompiledTarget } from "../config/compile-rules.ts";
import type { RemoteConfig } from "../config/documents.ts";
import { isInner } from "../config/inner-host.ts";
import type { RunOptions } from "../config/options.ts";
import { BranchTurns } from "../git/branch-turns.ts";
import { branchRefOf } from "../git/branch-view.ts";
import { stateRefOf } from "../git/state.ts";
import { targetOf } from "../git/stages.ts";
import type { TargetOptions } from "../git/target.ts";
import type { EnginePorts, RemoteSite } from "./engine-ports.ts";
import { FirstContact } from "./first-contact.ts";

export interface UpstreamsOptions {
  readonly compiled: readonly CompiledTarget[];
  readonly targets: readonly TargetOptions[];
  readonly mirrors: Mirrors;
  readonly credentialsDir: string | null;
  /** See RemoteSite, by the URL. */
  readonly refusesHostOf: (url: string) => RemoteSite["refusesHost"];
}

/**
 * A remote that is well has answered by then, and its targets begin together with the others: they have nothing to catch up. Of what has
 * to be caught up with nobody is named (a soak lost the authors of 5 s as a busy server answered after more than 2).
 */
const patienceMs = 10_000;

export class Upstreams implements AsyncDisposable {
  readonly #actors = new Map<string, UpstreamActor>();
  readonly #fetches = new BranchTurns();
  readonly #contacts = new Map<string, FirstContact>();
  /** Those whose targets were not opened in time, by target; it resolves behind the beginning of the actor. */
  readonly #late = new Map<string, Promise<void>>();

  /** Before its targets are opened: what a remote holds is where they begin. Throws what no patience mends. */
  static async open(options: UpstreamsOptions, ports: EnginePorts): Promise<Upstreams> {
    await using stack = new AsyncDisposableStack();
    const upstreams = stack.use(new Upstreams());
    const remotes = options.compiled.filter(({ config }) => config.remote !== null);
    const branches = Map.groupBy(remotes, ({ config }) => `${config.repository}\n${config.branch}`);
    await Promise.all([...branches.values()].map((group) => upstreams.#open(group, options, ports)));
    stack.move();
    return upstreams;
  }

  get actors(): ReadonlyMap<string, UpstreamActor> {
    return this.#actors;
  }

  /** Those that are still tried, by target. */
  get contacts(): ReadonlyMap<string, FirstContact> {
    return this.#contacts;
  }

  /** Resolves when the target can be opened, and rejects where it never can; undefined: it could be at once. */
  lateness(targetId: string): Promise<void> | undefined {
    return this.#late.get(targetId);
  }

  flushed(targetId: string, commits: number): void {
    this.#actors.get(targetId)?.moved(commits);
  }

  async drain(patienceMs: number, { clock }: Pick<EnginePorts, "clock">): Promise<void> {
    const impatience = new AbortController();
    using _timer = clock.after(patienceMs, () => impatience.abort());
    await Promise.all([...new Set(this.#actors.values())].map((actor) => actor.drain(impatience.signal)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...new Set(this.#contacts.values())].map((contact) => contact[Symbol.asyncDispose]()));
    await Promise.all([...new Set(this.#actors.values())].map((actor) => actor[Symbol.asyncDispose]()));
  }

  async #open(group: readonly CompiledTarget[], options: UpstreamsOptions, ports: EnginePorts): Promise<void> {
    const [lead] = group;
    const remoteConfig = lead?.config.remote ?? null;
    if (lead === undefined || remoteConfig === null) return;
    const { mirrors, credentialsDir, refusesHostOf } = options;
    const targets = group.map(({ id }) => targetOf(options.targets, id));
    const target = targetOf(options.targets, lead.id);
    const { url, pushIntervalSeconds } = remoteConfig;
    const credentialsDirectory = credentialsOf(remoteConfig, credentialsDir);
    const refs = [branchRefOf(target), ...targets.map((each) => stateRefOf(each))];
    const site = { url, credentialsDirectory, refusesHost: refusesHostOf(url), gitDirectory: target.repository, refs };
    const opened = ports.openRemote(site);
    const turn = { repository: target.repository, branch: "" };
    const remote: Remote = {
      push: (outgoing, signal) => opened.push(outgoing, signal),
      fetch: (depth, signal) => this.#fetches.take(turn, () => opened.fetch(depth, signal)),
    };
    const begin = (): void => {
      const { clock, random, meter, log, follower } = ports;
      const actor = new UpstreamActor({
        targetId: lead.id,
        mirrors,
        remote,
        intervalMs: pushIntervalSeconds * 1000,
        clock,
        random,
        meter,
        log,
        arrived: (push) => {
          for (const { id } of group) follower?.pushed(id, push);
        },
      });
      for (const { id } of group) this.#actors.set(id, actor);
      // What an earlier process could not push any more.
      actor.moved(0);
    };
    if (await mirrors.exists(lead.id)) return begin();
    const contact = new FirstContact({ targetId: lead.id, mirrors, remote, refs }, ports);
    for (const { id } of group) this.#contacts.set(id, contact);
    const begun = contact.met.then(() => {
      for (const { id } of group) this.#contacts.delete(id);
      begin();
    });
    // Whoever opens the targets hears of it.
    begun.catch(() => {});
    await contact.settled(patienceMs);
    if (!this.#contacts.has(lead.id)) return;
    for (const { id } of group) this.#late.set(id, begun);
    ports.log.warn(
      "A remote cannot be reached for the first time: its targets are detached, and catch up once it answers.",
      {
        targets: group.map(({ id }) => id).join(" "),
        error: contact.trouble,
      },
    );
  }
}

/** By the URL, see RemoteSite. Whoever writes a file on this machine may have it speak to whomever he likes. */
export function refusedHosts({
  config,
  allow,
}: Pick<RunOptions, "config" | "allow">): (url: string) => RemoteSite["refusesHost"] {
  return (url) => (config !== null || isAllowed(url, allow) ? null : isInner);
}

export function credentialsOf({ secret }: RemoteConfig, credentialsDir: string | null): string | null {
  return secret === null || credentialsDir === null ? null : join(credentialsDir, secret);
}
