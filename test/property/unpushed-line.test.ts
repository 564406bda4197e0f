import fc from "fast-check";
import { expect, test } from "vitest";

import { UnpushedLine } from "../../src/git/unpushed.ts";
import { check, suite } from "./check.ts";

type Step =
  | { readonly do: "commit"; readonly count: number }
  | { readonly do: "look" | "push" }
  /** All of it is made anew, on what others have pushed or on the same. */
  | { readonly do: "rebuild"; readonly moved: boolean };

const steps = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("commit" as const), count: fc.integer({ min: 1, max: 12 }) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("look" as const, "push" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("rebuild" as const), moved: fc.boolean() }) },
  ),
  { maxLength: 60 },
);
const bounds = fc.record({
  pushedCommits: fc.integer({ min: 1, max: 6 }),
  stepCommits: fc.integer({ min: 1, max: 9 }),
  keptCommits: fc.integer({ min: 1, max: 20 }),
});

suite("the commits that a remote lacks", () => {
  test("are told from the oldest on, a bounded part at a time, whatever comes in between", async () => {
    await check(
      fc.asyncProperty(bounds, steps, async (limits, todo) => {
        const line = new UnpushedLine(limits);
        const parents = new Map<string, string>();
        let ahead: string[] = [];
        let base = "";
        let made = 0;
        const commit = (): void => {
          const id = `c${(made += 1)}`;
          parents.set(id, ahead.at(-1) ?? base);
          ahead.push(id);
        };
        const look = async () => {
          let reads = 0;
          const head = ahead.at(-1) ?? base;
          const part = await line.look({ head, base }, async (id) => {
            reads += 1;
            return parents.get(id) ?? "";
          });
          expect(reads).toBeLessThanOrEqual(limits.stepCommits);
          if (part === null) return null;
          expect(part.ids).toEqual(ahead.slice(0, part.ids.length));
          expect(part.ids.length).toBeLessThanOrEqual(limits.pushedCommits);
          expect(part.ids.length > 0).toBe(ahead.length > 0);
          expect(part.ids.length + part.waiting).toBeLessThanOrEqual(ahead.length);
          return part;
        };
        const push = async (): Promise<void> => {
          let part = await look();
          for (let turn = 0; part === null && turn < 2000; turn += 1) part = await look();
          const { ids } = part ?? { ids: [] };
          base = ids.at(-1) ?? base;
          ahead = ahead.slice(ids.length);
        };
        for (const step of todo) {
          switch (step.do) {
            case "commit":
              for (let count = 0; count < step.count; count += 1) commit();
              break;
            case "look":
              await look();
              break;
            case "push":
              await push();
              break;
            case "rebuild": {
              const { length } = ahead;
              ahead = [];
              if (step.moved) base = `theirs${made}`;
              else line.forget();
              for (let count = 0; count < length; count += 1) commit();
              break;
            }
            default:
              step satisfies never;
          }
        }
        for (let turn = 0; ahead.length > 0 && turn < 2000; turn += 1) await push();
        expect(ahead).toEqual([]);
      }),
      { runs: 300 },
    );
  });

  test("are read anew where the branch is another one, though nobody said so", async () => {
    const line = new UnpushedLine();
    const look = (head: string) =>
      line.look({ head, base: "base" }, async (id) => (id.endsWith("1") ? "base" : `${id.slice(0, -1)}1`));
    expect(await look("a2")).toEqual({ ids: ["a1", "a2"], waiting: 0 });
    expect(await look("b2")).toEqual({ ids: ["b1", "b2"], waiting: 0 });
  });
});
