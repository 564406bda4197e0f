/** What a page points at is there: files, and headings in them. So are the headings that alerts send people to. */

import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const pages = globSync("{*.md,{.ci,actors,bench,deploy,docs,machines,src,test}/**/*.md}", { cwd: root });

test.each(pages)("%s points at what is there", (page) => {
  const text = withoutCode(readFileSync(join(root, page), "utf8"));
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
    ([, link, image]) => link ?? image ?? "",
  );
  expect(targets.filter((target) => !isThere(target, page))).toEqual([]);
});

test("each alert's runbook is a heading", () => {
  const file = join(root, "deploy/alerts.yaml");
  if (!existsSync(file)) return;
  const runbooks = [...readFileSync(file, "utf8").matchAll(/runbook_url: (\S+)/g)].map(([, target = ""]) => target);
  expect(runbooks.length).toBeGreaterThan(0);
  expect(runbooks.filter((target) => !isThere(target, "README.md"))).toEqual([]);
});

function isThere(target: string, page: string): boolean {
  if (/^[a-z]+:/.test(target)) return true;
  const [path = "", heading] = target.split("#");
  const file = path === "" ? join(root, page) : join(root, dirname(page), path);
  // What is not in the checkout is nobody's to point at.
  if (relative(root, file).startsWith("..") || !existsSync(file)) return false;
  if (heading === undefined) return true;
  return statSync(file).isFile() && headingsOf(readFileSync(file, "utf8")).has(heading);
}

/** As GitHub makes anchors of them. */
function headingsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutCode(text, { inline: false }).matchAll(/^#+ (.+)$/gm)) {
    const words = heading.replaceAll("`", "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const anchor = words
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
    anchors.add(
      [anchor, ...Array.from({ length: 9 }, (_, at) => `${anchor}-${at + 1}`)].find((each) => !anchors.has(each)) ??
        anchor,
    );
  }
  return anchors;
}

function withoutCode(text: string, { inline = true }: { readonly inline?: boolean } = {}): string {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, "");
  return inline ? prose.replaceAll(/`[^`\n]*`/g, "") : prose;
}
