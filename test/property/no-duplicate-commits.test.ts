/** I1 and I2, whatever is retried, restarted, relisted, reviewed twice or shown twice. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { manifestOf } from "../../src/sanitize/manifest.ts";
import { textOf } from "../../src/simulator/rendered.ts";
import { DEPLOYMENTS } from "../../src/simulator/resource-types.ts";
import { check, suite } from "./check.ts";
import { gapStep, hardSteps, keyIn, ordinarySteps, PlayedHistory, type Step } from "./played-history.ts";
import { simulatedSecrets } from "../../src/simulation/simulated-secrets.ts";

const script: fc.Arbitrary<readonly Step[]> = fc.array(fc.oneof(...ordinarySteps, ...hardSteps, gapStep), {
  minLength: 10,
  maxLength: 80,
  size: "max",
});

suite("from bytes to Git", () => {
  test("no duplicate commits", async () => {
    await check(
      fc.asyncProperty(script, async (steps) => {
        const history = new PlayedHistory();
        await history.play(steps);
        const keys = (await history.commits()).flatMap((commit) => keyIn(commit) ?? []);
        const changes = keys.map((key) => key.slice(key.indexOf(" ") + 1));
        expect(changes.toSorted()).toEqual([...new Set(changes)].toSorted());
        // Only a list says that something is gone without the version in which it went.
        const written = new Set(history.cluster.events.map(({ revision }) => String(revision)));
        for (const key of keys) if (!key.startsWith("DELETE")) expect(written).toContain(key.split("@")[1]);
        const state = history.cluster.current;
        const wanted =
          state === null
            ? null
            : Buffer.from(
                manifestOf(Buffer.from(textOf(state, state.revision)), { ...DEPLOYMENTS, secrets: simulatedSecrets })
                  .yaml,
              );
        expect(await history.file()).toBe(wanted?.toString() ?? null);
      }),
      { runs: 40 },
    );
  });
});
