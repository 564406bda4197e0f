import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commonRules } from "../../src/sanitize/common-rules.ts";
import { kindRules } from "../../src/sanitize/kind-rules.ts";
import type { Rule } from "../../src/sanitize/rule.ts";

const document = readFileSync(new URL("../../docs/SANITIZING.md", import.meta.url), "utf8");

/** `| what | only | why |`, as docs/SANITIZING.md has it. */
function row({ path, keys, only, why }: Rule): string {
  const what = keys === undefined ? `\`${path}\`` : `\`${path}\`: ${keys.map((key) => `\`${key}\``).join(", ")}`;
  return `| ${what} | ${only ?? ""} | ${why} |`;
}

describe("docs/SANITIZING.md", () => {
  const sections: readonly (readonly [string, readonly Rule[]])[] = [
    ["Every kind", commonRules],
    ...Object.entries(kindRules),
  ];
  for (const [kind, rules] of sections) {
    it(`lists the rules of ${kind}, each with its reason`, () => {
      const table = [`### ${kind}`, "", "| what goes | only | why |", "|---|---|---|", ...rules.map(row), ""].join(
        "\n",
      );
      expect(document, `Put this into docs/SANITIZING.md:\n\n${table}`).toContain(table);
    });
  }

  it("lists no kind that has no rules", () => {
    const headings = [...document.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(sections.map(([kind]) => kind));
  });
});
