/** Histories that the real commit pool writes to a real repository, and questions to them as a user asks. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FlushEntry } from "../../actors/ports.ts";
import type { Selection } from "../../machines/selection.ts";
import type { Command } from "../../src/commands/command-line.ts";
import { commandLine } from "../../src/commands/command-line.ts";
import { painterOf } from "../../src/commands/demo-terminal.ts";
import { who } from "../../src/commands/who.ts";
import { parseWhoOptions } from "../../src/commands/who-options.ts";
import { isoTime } from "../../src/commands/who-time.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { nodeGit } from "../../src/composition/node-git.ts";
import { openClone } from "../../src/git/clone/clone.ts";
import { loadIndex } from "../../src/git/clone/index-file.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import type { TargetOptions } from "../../src/git/target.ts";
import { manifestOf } from "../../src/sanitize/manifest.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import {
  allSelections,
  changed,
  type ChangeShape,
  cursorOf,
  deployments,
  flush,
  itemOf,
  runGit,
  targetAt,
} from "../git/fixtures.ts";

export class WhoWorld implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "kubescribe-who-"));
  readonly repository = join(this.#directory, "history.git");
  readonly cache = join(this.#directory, "cache");

  /** What the pool writes, one flush. */
  async record(
    entries: readonly FlushEntry[],
    options: Partial<TargetOptions> & { readonly selections?: readonly Selection[] } = {},
  ): Promise<void> {
    const { selections = allSelections, ...target } = options;
    const pool = createInlineCommitPool({
      fs: createNodeFileSystem(),
      clock: createSimulatedClock(1_700_001_000_000),
      manifestOf,
      selectionsOf: () => selections,
      targets: [targetAt(this.repository, target)],
    });
    await flush(pool, entries, target.id ?? "default/history");
    await pool[Symbol.asyncDispose]();
  }

  git(...args: readonly string[]): string {
    return runGit(this.repository, args);
  }

  /** A path beside the repository. */
  beside(name: string): string {
    return join(this.#directory, name);
  }

  /** A commit on the branch by another hand, without changing a file. */
  commitNote(message: string): void {
    const id = runGit(this.repository, ["commit-tree", "main^{tree}", "-p", "main"], message);
    this.git("update-ref", "refs/heads/main", id);
  }

  async ask(argv: readonly string[], { cwd = this.repository, cache = this.cache } = {}): Promise<Answer> {
    let out = "";
    let error = "";
    const context = {
      out: (text: string) => void (out += text),
      error: (text: string) => void (error += text),
      cwd,
      debug: false,
      signal: new AbortController().signal,
    };
    const code = await commandLine(["who", ...argv], { commands: [commandWith(cache)], context, version: "0" });
    return { code, out, error };
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

function commandWith(cache: string): Command {
  return {
    name: "who",
    summary: "",
    run: async (argv, { cwd, out }) => {
      const options = parseWhoOptions(argv, cwd);
      const { directory, branch } = options;
      const files = createNodeFileSystem();
      const clone = await openClone({ git: nodeGit(directory), files, directory, branch });
      const index = await loadIndex(clone, { files, directory: cache, unique: "test" });
      return await who(options, {
        clone,
        index,
        out,
        view: { paint: painterOf({ colour: false }), timeText: isoTime },
      });
    },
  };
}

export interface WebShape {
  readonly replicas?: number;
  readonly images?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A Deployment as the API server would send it. */
function webOf({ replicas = 1, images = { web: "web:1" }, labels = {} }: WebShape = {}): string {
  const containers = Object.entries(images).map(([name, image]) => ({ name, image }));
  return JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop", labels },
    spec: { replicas, template: { spec: { containers } } },
  });
}

/** A change of the Deployment shop/web. */
export function web(shape: ChangeShape, content: WebShape = {}): FlushEntry {
  return changed({ type: deployments, namespace: "shop", content: webOf(content), ...shape });
}

export function webSnapshot(version: number, content: WebShape = {}): FlushEntry {
  const item = itemOf({ version, type: deployments, namespace: "shop", content: webOf(content) });
  return { kind: "snapshot", type: deployments, cursor: cursorOf(version), items: [item] };
}
