/**
 * A small load: writers that mark what they write, and the judge of what became of it. Owns its loops.
 * 1. What a writer sets (`by`, `n`) is different for each write, so each persisted one is a change.
 */

import { setTimeout as delay } from "node:timers/promises";

import type { ControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { type Commit, readFilesAt } from "./history.ts";
import type { Kubescribe } from "./kubescribe.ts";

/** One write that the API server acknowledged. */
interface Write {
  readonly name: string;
  readonly user: string;
  readonly resourceVersion: string;
  /** A review reached kubescribe for certain. */
  readonly reviewed: boolean;
}

const configMaps = "/api/v1/namespaces/default/configmaps";
/** A small load: what matters is that something is always under way. */
const pauseMs = 100;

export class Load {
  readonly writes: Write[] = [];
  /** False while kubescribe may not be reached: what is begun or ended then counts as unreviewed. */
  reviewing = true;
  readonly #plane: ControlPlane;
  readonly #names: readonly string[];
  readonly #loops: readonly Promise<void>[];
  #stopped = false;
  #count = 0;

  private constructor(plane: ControlPlane, names: readonly string[], users: readonly string[]) {
    this.#plane = plane;
    this.#names = names;
    this.#loops = users.map((user) => this.#write(user));
  }

  /** The objects are made first, by admin. */
  static async start(plane: ControlPlane, names: readonly string[], users: readonly string[]): Promise<Load> {
    for (const name of names) await plane.request("admin", "POST", configMaps, { metadata: { name } });
    return new Load(plane, names, users);
  }

  /** Resolves when `count` more writes were acknowledged. */
  async acknowledged(count: number): Promise<void> {
    const goal = this.writes.length + count;
    await eventually(() => (this.writes.length >= goal ? true : undefined), { timeoutMs: 60_000, what: "more writes" });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  /**
   * Sentences about what is wrong: an acknowledged write without its commit, a named author who did not write it, a reviewed write
   * without a name. `gaps`: a write may be part of a later `recovered` or `collapsed` commit, and a write that was never
   * acknowledged may have happened.
   */
  async judge(
    kubescribe: Pick<Kubescribe, "commits" | "repository">,
    { gaps }: { readonly gaps: boolean },
  ): Promise<readonly string[]> {
    const isOurs = ({ resource }: Commit): boolean => this.#names.some((name) => resource.endsWith(` default/${name}`));
    await eventually(async () => (this.#missing(await kubescribe.commits(), gaps).length === 0 ? true : undefined), {
      timeoutMs: 40_000,
      everyMs: 500,
    }).catch(() => undefined);
    const commits = (await kubescribe.commits()).filter((commit) => isOurs(commit) && commit.operation === "UPDATE");
    const faults = [...this.#missing(commits, gaps)];
    const markers = await readMarkers(kubescribe, commits);
    for (const [index, commit] of commits.entries()) {
      const write = this.writes.find((one) => isOf(one, commit));
      const marker = markers[index] ?? "";
      const said = `${commit.resource} at ${commit.resourceVersion}, ${commit.tier} by ${commit.user}`;
      if (write === undefined && !gaps) faults.push(`${said}: nobody wrote it`);
      if (write !== undefined && write.user !== marker)
        faults.push(`${said}: written by ${write.user}, holds ${marker}`);
      if (["unresolved", "collapsed"].includes(commit.tier)) {
        if (write?.reviewed === true && !gaps) faults.push(`${said}: ${write.user} was reviewed`);
        if (commit.tier === "collapsed" && !commit.candidates.includes(marker))
          faults.push(`${said}: ${marker} wrote it, and is no candidate`);
      } else if (commit.tier === "tie" ? !commit.candidates.includes(marker) : commit.user !== marker)
        faults.push(`${said}: ${marker} wrote it`);
    }
    return faults;
  }

  #missing(commits: readonly Commit[], gaps: boolean): readonly string[] {
    return this.writes
      .filter((write) => {
        if (commits.some((commit) => isOf(write, commit))) return false;
        const later = commits.find(
          ({ resource, resourceVersion }) =>
            resource.endsWith(` default/${write.name}`) && BigInt(resourceVersion) > BigInt(write.resourceVersion),
        );
        return !gaps || later === undefined || !["recovered", "collapsed"].includes(later.tier);
      })
      .map(({ name, user, resourceVersion }) => `${name} at ${resourceVersion} by ${user} is lost`);
  }

  async #write(user: string): Promise<void> {
    while (!this.#stopped) {
      this.#count += 1;
      const name = this.#names[this.#count % this.#names.length] ?? "";
      const reviewing = this.reviewing;
      try {
        const data = { by: user, n: String(this.#count) };
        const answer = await this.#plane.request(user, "PATCH", `${configMaps}/${name}`, { data });
        if (answer.status === 200) {
          const { resourceVersion } = answer.json()["metadata"] as { resourceVersion: string };
          this.writes.push({ name, user, resourceVersion, reviewed: reviewing && this.reviewing });
        }
      } catch {
        // The API server is down: on with it when it is up.
      }
      await delay(pauseMs);
    }
  }
}

function isOf(write: Write, { resource, resourceVersion }: Commit): boolean {
  return resourceVersion === write.resourceVersion && resource.endsWith(` default/${write.name}`);
}

/** Who says in the file, at each commit, that he wrote it. */
async function readMarkers(
  { repository }: Pick<Kubescribe, "repository">,
  commits: readonly Commit[],
): Promise<readonly string[]> {
  const texts = await readFilesAt(
    repository,
    commits.map(({ sha, paths }) => `${sha}:${paths[0] ?? ""}`),
  );
  return texts.map((text) => /^ {2}by: "?([\w-]+)"?$/m.exec(text)?.[1] ?? "nobody");
}
