import fc from "fast-check";
import { expect, test } from "vitest";

import type { CommitPool, FlushEntry } from "../../actors/ports.ts";
import { selects, type Selection } from "../../machines/selection.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { listTree } from "../../src/git/listing.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { changed, configmaps, cursorOf, flush, itemOf, plainManifest, selectionOf, targetAt } from "../git/fixtures.ts";
import { check, suite } from "./check.ts";

type Step =
  /** Creates or changes an object. */
  | { readonly do: "write"; readonly namespace: string; readonly name: string; readonly team: string }
  | { readonly do: "delete"; readonly namespace: string; readonly name: string }
  /** The process ends, and the next one has these rules. */
  | { readonly do: "rules"; readonly selections: readonly Selection[] }
  /** What came since the last flush; `again`: the answer got lost, and it is repeated, or by the next process. */
  | { readonly do: "flush"; readonly again: "no" | "same" | "next" };

const namespace = fc.constantFrom("red", "blue");
const name = fc.constantFrom("a", "b");
const team = fc.constantFrom("x", "y", "");
const selection = fc
  .record({
    namespaces: fc.constantFrom(null, ["red"], ["blue"], ["red", "blue"], []),
    matchLabels: fc.constantFrom({}, { team: "x" }, { team: "y" }),
    matchExpressions: fc.constantFrom([], [{ key: "team", operator: "Exists" as const, values: [] }]),
  })
  .map((drawn) => selectionOf(configmaps, drawn));
const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("write" as const), namespace, name, team }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("delete" as const), namespace, name }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("rules" as const),
      selections: fc.array(selection, { minLength: 1, maxLength: 2 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("flush" as const), again: fc.constantFrom("no", "no", "same", "next") }),
  },
);

interface Stored {
  readonly namespace: string;
  readonly name: string;
  readonly team: string;
  readonly content: string;
  readonly version: number;
}

class Run {
  readonly #clock = createSimulatedClock();
  readonly #fs = new MemoryFileSystem(this.#clock);
  readonly #target = targetAt("/repo", { path: "" });
  readonly #objects = new Map<string, Stored>();
  #selections: readonly Selection[] = [selectionOf(configmaps)];
  #pool: CommitPool = this.#open();
  #entries: FlushEntry[] = [];
  #version = 0;

  #open(): CommitPool {
    const selections = this.#selections;
    return createInlineCommitPool({
      fs: this.#fs,
      clock: this.#clock,
      manifestOf: plainManifest,
      selectionsOf: () => selections,
      targets: [this.#target],
    });
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case "write":
        return this.#write(step);
      case "delete":
        return this.#delete(step);
      case "rules":
        await this.#flush("no");
        this.#selections = step.selections;
        return this.#begin();
      case "flush":
        return this.#flush(step.again);
      default:
        return step satisfies never;
    }
  }

  finish(): Promise<void> {
    return this.#flush("no");
  }

  /** As a process does that is started: what is out of format is held against the list at its cursor. */
  async #begin(): Promise<void> {
    this.#pool = this.#open();
    const { outOfFormat = new Set() } = await this.#pool.open(this.#target.id);
    if (!outOfFormat.has(configmaps.key)) return;
    const items = [...this.#objects.values()].map((stored) => itemOf(stored));
    this.#entries.push({ kind: "format", type: configmaps, cursor: cursorOf(this.#version), items });
  }

  #write({ namespace, name, team }: Extract<Step, { readonly do: "write" }>): void {
    const version = (this.#version += 1);
    const key = `${namespace}/${name}`;
    const content = `labels ${JSON.stringify(team === "" ? {} : { team })}\n${version}\n`;
    const operation = this.#objects.has(key) ? "UPDATE" : "CREATE";
    this.#objects.set(key, { namespace, name, team, content, version });
    this.#entries.push(changed({ namespace, name, version, content, operation }));
  }

  #delete({ namespace, name }: Extract<Step, { readonly do: "delete" }>): void {
    const known = this.#objects.get(`${namespace}/${name}`);
    if (known === undefined) return;
    this.#objects.delete(`${namespace}/${name}`);
    const version = (this.#version += 1);
    this.#entries.push(changed({ namespace, name, version, content: known.content, operation: "DELETE" }));
  }

  async #flush(again: "no" | "same" | "next"): Promise<void> {
    const entries = this.#entries;
    if (entries.length === 0) return;
    this.#entries = [];
    const { commits } = await flush(this.#pool, entries);
    expect(Math.max(...commits)).toBeLessThanOrEqual(1);
    await this.#expectTree();
    const { tip } = await this.#pool.open(this.#target.id);
    if (again === "next") this.#pool = this.#open();
    if (again !== "no") expect((await flush(this.#pool, entries)).tip).toBe(tip);
    await this.#expectTree();
    if (again === "next") await this.#begin();
  }

  /** I5: what the rules select of what there is. */
  async #expectTree(): Promise<void> {
    const files = new Map<string, string>();
    for await (const { path, bytes } of listTree(this.#fs, this.#target))
      files.set(path, Buffer.from(bytes).toString());
    const wanted = [...this.#objects.values()].flatMap(({ namespace, name, team, content }): [string, string][] => {
      const selectable = { typeKey: configmaps.key, namespace, labels: team === "" ? {} : { team } };
      const isSelected = this.#selections.some((each) => selects(each, selectable));
      return isSelected ? [[`${namespace}/core/configmaps/${name}.yaml`, content]] : [];
    });
    expect(files).toEqual(new Map(wanted));
  }
}

suite("rules that change", () => {
  test("whatever they were and are, and whatever is repeated, the tree is what they select", async () => {
    await check(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
        const run = new Run();
        for (const one of steps) await run.step(one);
        await run.finish();
      }),
      { runs: 60 },
    );
  });
});
