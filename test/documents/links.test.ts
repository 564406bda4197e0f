/** What a page points at is there: files, and headings in them. So are the headings that alerts send people to. */

import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

import { pages, root, textOf, withoutBlocks } from "./pages.ts";

test.each(pages)("%s points at what is there", (page) => {
  const text = withoutCode(textOf(page));
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
  const prose = withoutBlocks(text);
  return inline ? prose.replaceAll(/`[^`\n]*`/g, "") : prose;
}
