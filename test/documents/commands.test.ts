/** What a page tells people to type is there: commands, their options, npm's scripts, and files of the repository. */

import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { installOptionTable } from "../../src/config/install-option-table.ts";
import {
  demoOptionTable,
  type OptionDefinition,
  runOptionTable,
  simulateOptionTable,
  verifyOptionTable,
  whoOptionTable,
} from "../../src/config/option-table.ts";
import { codeOf, pages, root } from "./pages.ts";

const tables: Readonly<Record<string, readonly OptionDefinition[]>> = {
  demo: demoOptionTable,
  install: installOptionTable,
  run: runOptionTable,
  simulate: simulateOptionTable,
  verify: verifyOptionTable,
  who: whoOptionTable,
};
const everywhere = ["help", "version"];

/** Of git, of other programs, and of the repository's own scripts. */
const ofOthers = new Set(["depth", "filter", "full", "out", "prune-empty", "runtime-config", "smoke"]);

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

describe.each(pages)("%s", (page) => {
  const { spans, lines } = codeOf(page);
  const code = [...spans, ...lines];

  test("names commands and options of kubescribe that are there", () => {
    const wrong = code.flatMap((text) => wrongIn(text).map((what) => `${what} in: ${text}`));
    expect(wrong).toEqual([]);
  });

  test("names no option that nobody has", () => {
    const known = new Set([...Object.values(tables).flatMap((table) => table.map(({ name }) => name)), ...everywhere]);
    const named = spans.flatMap((span) => /^--([a-z][a-z-]*)/.exec(span)?.[1] ?? []);
    expect(named.filter((name) => !known.has(name) && !ofOthers.has(name))).toEqual([]);
  });

  test("names scripts that npm has", () => {
    const named = code.flatMap((text) => [
      ...text.matchAll(/\bnpm (?:run )?((?:start|test)\b[\w:]*|(?<=run )[\w:]+)/g),
    ]);
    expect(named.map(([, script = ""]) => script).filter((script) => !(script in scripts))).toEqual([]);
  });

  test("names files of the repository that are there", () => {
    // deploy/NAME alone is a Deployment, to kubectl.
    const path = /^(?:actors|bench|deploy(?=\/chart|\/[\w-]+\.)|docs|machines|src|test|\.ci)\/[\w./*{},-]*/;
    const named = code.flatMap((text) => text.split(/[\s"'=]+/)).flatMap((word) => path.exec(word)?.[0] ?? []);
    expect(named.filter((name) => !existsSync(join(root, name)) && globSync(name, { cwd: root }).length === 0)).toEqual(
      [],
    );
  });
});

test("a wrong command, and a wrong option of each side of --, are seen", () => {
  expect(wrongIn("npx kubescribe verfy --config a")).toEqual(["no command verfy"]);
  expect(wrongIn("kubescribe install --watch a -- --log-levl=debug | kubectl apply -f -")).toEqual([
    "no run --log-levl",
  ]);
  expect(wrongIn("kubescribe install ... --log-level=debug")).toEqual(["no install --log-level"]);
  expect(wrongIn("$ kubescribe who cm/a -n b -x")).toEqual(["no who -x"]);
  expect(wrongIn("npm run simulate -- --sede 7")).toEqual(["no simulate --sede"]);
  expect(wrongIn("kubescribe who cm/a   # --not an option")).toEqual([]);
});

/** Of what is typed in `text`, what is not there. A line of prose or of a manifest has none. */
function wrongIn(text: string): readonly string[] {
  const typed = text
    .replaceAll("npm run simulate --", "kubescribe simulate")
    .matchAll(/(?:(?:^|[|;&$]\s*|npx )kubescribe|node (?:\S*\/)?src\/main\.ts) +([a-z]+)([^|;&#()]*)/g);
  return [...typed].flatMap(([, command = "", rest = ""]) => {
    const table = tables[command];
    if (table === undefined) return [`no command ${command}`];
    const behind = rest.split(/ --(?: |$)/);
    return behind.flatMap((part, at) => wrongOptions(part, at === 0 ? command : "run"));
  });
}

function wrongOptions(text: string, command: string): readonly string[] {
  const table = tables[command] ?? [];
  const known = new Set(
    table.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]),
  );
  for (const name of everywhere) known.add(`--${name}`);
  const named = [...text.matchAll(/(?<=^|[\s[])(--?[a-zA-Z][\w-]*)/g)].map(([, option = ""]) => option);
  return named.filter((option) => !known.has(option)).map((option) => `no ${command} ${option}`);
}
