/** The pages of the repository, and what is code in them. */

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");
export const pages = globSync("{*.md,{.ci,actors,bench,deploy,docs,machines,src,test}/**/*.md}", { cwd: root });

export function textOf(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

/** What stands between backticks in a line, and each line of a block of code; a line that ends in a backslash with the next one. */
export function codeOf(page: string): { readonly spans: readonly string[]; readonly lines: readonly string[] } {
  const text = textOf(page);
  const fenced = [...text.matchAll(/^```[^\n]*\n([\s\S]*?)^```/gm)].map(([, block = ""]) => block);
  const prose = withoutBlocks(text);
  const indented = [...prose.matchAll(/^(?: {4,}|\t)(.*)$/gm)].map(([, line = ""]) => line);
  const lines = [...fenced, indented.join("\n")].flatMap((block) => block.replaceAll(/\\\n\s*/g, "").split("\n"));
  return { spans: [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span), lines };
}

export function withoutBlocks(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, "");
}
