/** Any number of users on one resource, from the bytes of reviews and of the watch to the commits that Git holds. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { check, suite } from "./check.ts";
import { keyIn, ordinarySteps, hardSteps, PlayedHistory, type PlayedCommit, type Step } from "./played-history.ts";

const script = (steps: readonly fc.WeightedArbitrary<Step>[]): fc.Arbitrary<readonly Step[]> =>
  fc.array(fc.oneof(...steps), { minLength: 10, maxLength: 80, size: "max" });

function expectHonest({ author, trailers }: PlayedCommit, user: string, seen: boolean): void {
  const tier = trailers.get("Kubescribe-Attribution")?.[0] ?? "";
  const changedBy = trailers.get("Changed-By") ?? [];
  const candidates = trailers.get("Kubescribe-Candidate") ?? [];
  expect(changedBy).toEqual([author]);
  if (tier === "unresolved") {
    expect([author, candidates]).toEqual(["unresolved", []]);
  } else if (tier === "tie") {
    expect(candidates).toContain(author);
    if (seen) expect(candidates).toContain(user);
  } else {
    expect(["exact", "scale", "delete", "content"]).toContain(tier);
    expect(candidates).toEqual([]);
    // What nobody reviewed is credited to whoever asked for the same a moment before (K50): only bytes prove the contrary.
    if (seen || tier === "exact") expect(author).toBe(user);
  }
}

async function expectOrder(history: PlayedHistory, restarted = false): Promise<readonly PlayedCommit[]> {
  const commits = (await history.commits()).filter((commit) => keyIn(commit) !== null);
  const { writes } = history;
  expect(commits.map(keyIn)).toEqual(writes.map(({ key }) => key));
  for (const [at, commit] of commits.entries()) {
    const { user = "", reviewed = false } = writes[at]?.authorship ?? {};
    // The objects of reviews are not kept over a restart: only bytes that are equal speak for somebody then (K36).
    expectHonest(commit, user, reviewed && !(restarted && history.altered.has(user)));
  }
  return commits;
}

suite("from bytes to Git", () => {
  test("rapid-change order", async () => {
    await check(
      fc.asyncProperty(script(ordinarySteps), async (steps) => {
        const history = new PlayedHistory();
        await history.play(steps);
        const commits = await expectOrder(history);
        // Nothing was lost on the way here: who was reviewed with bytes is named.
        for (const [at, { kind, authorship, previous }] of history.writes.entries()) {
          const proven = kind === "ADDED" || (authorship.subresource !== "scale" && previous !== null);
          const tier = commits[at]?.trailers.get("Kubescribe-Attribution")?.[0];
          if (proven && authorship.reviewed && tier === "unresolved")
            expect(history.altered.has(authorship.user) || kind === "DELETED" || deletes(commits[at])).toBe(true);
        }
      }),
      { runs: 40 },
    );
  });

  test("rapid-change order, with a Git that fails and a process that is killed", async () => {
    await check(
      fc.asyncProperty(script([...ordinarySteps, ...hardSteps]), async (steps) => {
        const history = new PlayedHistory();
        await history.play(steps);
        await expectOrder(
          history,
          steps.some((step) => step.do === "restart" || step.do === "crash"),
        );
      }),
      { runs: 40 },
    );
  });
});

function deletes(commit: PlayedCommit | undefined): boolean {
  return commit?.trailers.get("Kubescribe-Operation")?.[0] === "DELETE";
}
