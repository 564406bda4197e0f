/** What `install --check` finds, and how it says it. */

export interface Finding {
  readonly state: "ok" | "note" | "lacks";
  /** `API server`, `rights`: what it is about, in a word or two. */
  readonly about: string;
  readonly detail: string;
  /** What to do: a sentence. */
  readonly advice?: string;
  /** YAML that mends it. */
  readonly yaml?: string;
}

export const applyAgain = "Apply what `kubescribe install` prints, with the options that you used.";

const marks = { ok: "ok", note: "note", lacks: "LACKS" } as const;

export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ about }) => about.length));
  const rows = findings.map(({ state, about, detail, advice }) => {
    const indent = " ".repeat(width + 10);
    const lines = [detail, ...(advice === undefined ? [] : [advice])].flatMap((text) => text.split("\n"));
    return `${marks[state].padEnd(7)} ${about.padEnd(width)}  ${lines.join(`\n${indent}`)}\n`;
  });
  const yamls = findings.flatMap(({ yaml }) => yaml ?? []);
  const mends = yamls.length === 0 ? "" : `\nThe rights that lack, for kubectl apply -f -:\n\n${yamls.join("---\n")}`;
  return `${rows.join("")}\n${closing(findings)}\n${mends}`;
}

function closing(findings: readonly Finding[]): string {
  const lacking = findings.filter(({ state }) => state === "lacks").length;
  if (lacking === 0) return "Nothing lacks.";
  return lacking === 1 ? "One thing lacks." : `${lacking} things lack.`;
}
