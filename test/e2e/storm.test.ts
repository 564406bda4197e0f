/**
 * The storm: 20 users at a few names, and afterwards every change accounted for. Its figures are printed. STORM_REQUESTS sets the
 * size of each run, STORM_SEED the seed, STORM_RUNS (one,two,controllers,kill) which of them.
 */

import { afterAll, describe, expect, test } from "vitest";

import type { Doubt } from "../storm/checker.ts";
import { type Figures, tableOf } from "../storm/figures.ts";
import { runStorm, type StormOptions } from "../storm/run-storm.ts";

const seed = Number(process.env["STORM_SEED"] ?? 1);
const size = Number(process.env["STORM_REQUESTS"] ?? 0);
const wanted = process.env["STORM_RUNS"]?.split(",");
const timeoutMs = 900_000;
/** Of each list of complaints. */
const shownLines = 20;

const runs: readonly StormOptions[] = [
  { name: "one", seed, requests: size || 10_000 },
  { name: "two", seed: seed + 1, requests: size || 5_000, apiServers: 2 },
  { name: "controllers", seed: seed + 2, requests: size || 4_000, controllers: true },
  { name: "kill", seed: seed + 3, requests: size || 10_000, killEverySeconds: 4 },
];

describe(`storm, STORM_SEED=${seed}`, () => {
  const rows: Figures[] = [];

  afterAll(() => {
    console.log(`\n${tableOf(rows)}\n`);
  });

  test.for(runs.filter(({ name }) => wanted?.includes(name) ?? true))(
    "$name, $requests requests",
    { timeout: timeoutMs },
    async (options) => {
      const { figures, findings, load, faults, evidence } = await runStorm(options);
      rows.push(figures);
      console.log(`${options.name}: statuses by action ${JSON.stringify(load.statuses)}`);
      const shown = (doubts: readonly Doubt[]): readonly string[] =>
        doubts.map((doubt) => `${doubt.line}\n${evidence.get(doubt) ?? ""}`);
      if (findings.explained.length > 0) console.log(`explained by K39:\n${shown(findings.explained).join("\n")}`);
      const { lost, doubled, unreal, disordered, unfaithful } = findings;
      const complaints = {
        faults,
        lost,
        doubled,
        unreal,
        disordered,
        unfaithful,
        wrong: shown(findings.wrong),
        wrongTies: shown(findings.wrongTies),
        unexplained: shown(findings.unexplained),
      };
      for (const [complaint, lines] of Object.entries(complaints)) {
        expect.soft(lines.length, `${complaint}:\n${lines.slice(0, shownLines).join("\n")}`).toBe(0);
      }
      expect.soft(findings.seeingNamed / findings.seeingChanges).toBeGreaterThanOrEqual(0.998);
      expect.soft(findings.ties / findings.seeingChanges).toBeLessThanOrEqual(0.02);
      expect.soft(findings.changes).toBeGreaterThan(options.requests / 10);
    },
  );
});
