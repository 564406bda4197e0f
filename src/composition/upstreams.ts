/** Owns the upstream actors: one for each branch that has a remote, opened once the remote was seen or its local repository is there. */

import { join } from "node:path";
import { UpstreamActor } from "../../actors/upstream-actor.ts";
import type { Mirrors, RefIds, Remote } from "../../actors/ports.ts";
import type { CompiledTarget } from "../config/compile-rules.ts";
import type { RemoteConfig } from "../config/documents.ts";
import { branchRefOf } from "../git/branch-view.ts";
import { stateRefOf } from "../git/state.ts";
import { targetOf } from "../git/stages.ts";
import type { TargetOptions } from "../git/target.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { persistently } from "./persistently.ts";

export interface UpstreamsOptions {
  readonly compiled: readonly CompiledTarget[];
  readonly targets: readonly TargetOptions[];
  readonly mirrors: Mirrors;
  readonly credentialsDir: string | null;
}

/** What a first contact fetches; the last is all there is. */
const firstDepths: readonly (number | null)[] = [1, 50, 2500, null];

export class Upstreams implements AsyncDisposable {
  readonly #actors = new Map<string, UpstreamActor>();

  /** Before its targets are opened: what a remote holds is where they begin. Throws what no patience mends. */
  static async open(options: UpstreamsOptions, ports: EnginePorts): Promise<Upstreams> {
    const upstreams = new Upstreams();
    const remotes = options.compiled.filter(({ config }) => config.remote !== null);
    const branches = Map.groupBy(remotes, ({ config }) => `${config.repository}\n${config.branch}`);
    await Promise.all([...branches.values()].map((group) => upstreams.#open(group, options, ports)));
    return upstreams;
  }

  get actors(): ReadonlyMap<string, UpstreamActor> {
    return this.#actors;
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
    await Promise.all([...new Set(this.#actors.values())].map((actor) => actor[Symbol.asyncDispose]()));
  }

  async #open(group: readonly CompiledTarget[], options: UpstreamsOptions, ports: EnginePorts): Promise<void> {
    const [lead] = group;
    const remoteConfig = lead?.config.remote ?? null;
    if (lead === undefined || remoteConfig === null) return;
    const { mirrors, credentialsDir } = options;
    const targets = group.map(({ id }) => targetOf(options.targets, id));
    const target = targetOf(options.targets, lead.id);
    const { url, pushIntervalSeconds } = remoteConfig;
    const credentialsDirectory = credentialsOf(remoteConfig, credentialsDir);
    const refs = [branchRefOf(target), ...targets.map((each) => stateRefOf(each))];
    const remote = ports.openRemote({ url, credentialsDirectory, gitDirectory: target.repository, refs });
    if (!(await mirrors.exists(lead.id)))
      await persistently(() => meet(lead.id, { mirrors, remote, refs }, ports), ports);
    const { clock, random, meter, log } = ports;
    const intervalMs = pushIntervalSeconds * 1000;
    const actor = new UpstreamActor({ targetId: lead.id, mirrors, remote, intervalMs, clock, random, meter, log });
    for (const { id } of group) this.#actors.set(id, actor);
    // What an earlier process could not push any more.
    actor.moved(0);
  }
}

export function credentialsOf({ secret }: RemoteConfig, credentialsDir: string | null): string | null {
  return secret === null || credentialsDir === null ? null : join(credentialsDir, secret);
}

interface Meeting {
  readonly mirrors: Mirrors;
  readonly remote: Remote;
  readonly refs: readonly string[];
}

/** Fetches what the first flush needs, and no more of somebody else's history. */
async function meet(targetId: string, { mirrors, remote, refs }: Meeting, ports: EnginePorts): Promise<void> {
  for (const depth of firstDepths) {
    const found: RefIds = await remote.fetch(depth, ports.signal);
    if (await mirrors.adopt(targetId, found)) {
      const [branch = ""] = refs;
      ports.log.info("The remote was reached for the first time.", { target: targetId, at: found[branch] ?? "empty" });
      return;
    }
  }
}
