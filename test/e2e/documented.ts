/** What the pages tell a user to type, so that a test types just that. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { root } from "./pods.ts";

/** The commands of the indented blocks below a heading, in order; without comments, each on one line. Throws where there are none. */
export function documentedCommands(page: string, heading: string): readonly string[] {
  const blocks = sectionOf(page, heading)
    .split("\n")
    .filter((line) => line.startsWith("    "))
    .map((line) => line.trim())
    .join("\n")
    .replaceAll("\\\n", "");
  const commands = blocks
    .split("\n")
    .map((line) => line.replace(/ +#.*$/, ""))
    .filter((line) => line !== "");
  if (commands.length === 0) throw new Error(`${page} has no command below "${heading}"`);
  return commands;
}

/** The first fenced block of YAML below a heading. */
export function documentedYaml(page: string, heading: string): string {
  const [, yaml] = /^```yaml\n(.*?)^```$/ms.exec(sectionOf(page, heading)) ?? [];
  if (yaml === undefined) throw new Error(`${page} has no YAML below "${heading}"`);
  return yaml;
}

function sectionOf(page: string, heading: string): string {
  const text = readFileSync(join(root, page), "utf8");
  const [, section] = text.split(new RegExp(`^#+ ${heading}$`, "m"));
  if (section === undefined) throw new Error(`${page} has no heading "${heading}"`);
  return section.split(/^#+ /m)[0] ?? "";
}
