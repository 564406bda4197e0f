/** The hunt as docs/MUTANTS.md shows it. */

import { usualRates } from "../../src/simulation/job.ts";
import type { Budget, Outcome } from "./hunt.ts";
import type { Mutant } from "./mutant.ts";

export function outcomeLine(outcome: Outcome): string {
  switch (outcome.kind) {
    case "caught":
      return `caught by seed ${outcome.seeds}: ${outcome.broken[0] ?? ""}`;
    case "survived":
      return `SURVIVED ${outcome.seeds} seeds${outcome.others.map((line) => `\n    ${line}`).join("")}`;
    case "unclear":
      return `UNCLEAR: ${outcome.why}`;
    default:
      return outcome satisfies never;
  }
}

export function markdownOf(hunted: readonly (readonly [Mutant, Outcome | undefined])[], budget: Budget): string {
  const caught = hunted.filter(([, outcome]) => outcome?.kind === "caught").length;
  const rows = hunted.map(([mutant, outcome]) => rowOf(mutant, outcome));
  return `# Mutants: does the proof bite?

Each row is a plausible defect: one small patch of the engine's source, put in as Node loads it. The engine is then played by the
simulation, ${budget.changes} changes a seed, from seed 1 on, until a checker says that the named promise (I1 to I7 in words: once,
real, honest, ordered, faithful, bounded, durable) is broken. The checkers read branches with stock git and compare with what the
model of the cluster persisted; they see nothing of the engine. On the seed that caught a mutant, the unpatched engine passes. What
befalls it is drawn by the seed, or named: one step in 15 is a fault if all of them are on, or in as many as the table says.

${caught} of ${hunted.length} caught, ${budget.seeds} seeds at the most. Again: \`npm run mutants\` (\`-- --record\` writes this file,
\`-- NAME\` hunts one). The patches stand in \`test/mutants/\`.

| mutant | what is wrong | file | breaks | seeds | faults |
|---|---|---|---|---:|---|
${rows.join("\n")}
`;
}

function rowOf(
  { name, defect, file, breaks, faults, every = usualRates.every }: Mutant,
  outcome: Outcome | undefined,
): string {
  const seeds = outcome?.kind === "caught" ? String(outcome.seeds) : (outcome?.kind ?? "not hunted");
  const befalls = faults === null ? "drawn" : faults.length === 0 ? "none" : faults.join(", ");
  const often = every === usualRates.every || faults?.length === 0 ? "" : `; 1 step in ${every}`;
  return `| ${name} | ${defect} | \`${file}\` | ${breaks} | ${seeds} | ${befalls}${often} |`;
}
