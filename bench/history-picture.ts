/**
 * Draws the README's picture: what git and `who` really answer about the history of a demo, once for each of GitHub's themes.
 *
 *     node src/main.ts demo --directory DIR && node bench/history-picture.ts DIR
 */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

type Ink = "soft" | "text" | "hash" | "person" | "nobody" | "proof";
type Theme = Readonly<Record<Ink | "paper" | "line", string>>;
/** Pieces of one line of a terminal, each in its colour. */
type Line = readonly (readonly [Ink, string])[];

const themes: Readonly<Record<"light" | "dark", Theme>> = {
  light: {
    paper: "#f6f8fa",
    line: "#d1d9e0",
    soft: "#59636e",
    text: "#1f2328",
    hash: "#9a6700",
    person: "#0969da",
    nobody: "#bc4c00",
    proof: "#1a7f37",
  },
  dark: {
    paper: "#151b23",
    line: "#3d444d",
    soft: "#9198a1",
    text: "#f0f6fc",
    hash: "#d29922",
    person: "#58a6ff",
    nobody: "#f0883e",
    proof: "#3fb950",
  },
};
const commits = 13;
const font = "ui-monospace, SFMono-Regular, Menlo, Consolas, Liberation Mono, monospace";
const fontSize = 13;
const lineHeight = 20;
/** Of one character: what these fonts have, in parts of their size. */
const advance = 0.602;
const margin = 18;
const titleHeight = 34;
const root = join(import.meta.dirname, "..");
const title = "The history of `npm start`: a simulated cluster, and who changed what in it";

const [directory] = process.argv.slice(2);
if (directory === undefined)
  throw new Error("expected a directory of kubescribe demo: node bench/history-picture.ts DIR");
const repository = resolve(directory, "history.git");
const lines = [...logLines(), [] as Line, ...whoLines()];
for (const [name, theme] of Object.entries(themes)) {
  writeFileSync(join(root, `docs/pictures/history-${name}.svg`), svgOf(lines, theme));
}

function logLines(): readonly Line[] {
  const verdict = "%(trailers:key=Kubescribe-Attribution,valueonly,separator=)";
  const format = `%h %<(37)%an %<(42)%s ${verdict}`;
  const lineOf = (line: string): Line => {
    const [, id = "", author = "", rest = ""] = /^(\S+ )(.{38})(.*)$/.exec(line) ?? [];
    const subject = rest.slice(0, 43);
    const isNobody = author.startsWith("unresolved");
    return [
      ["hash", id],
      [isNobody ? "nobody" : "person", author],
      ["text", subject],
      [isNobody ? "nobody" : "proof", rest.slice(43)],
    ];
  };
  const said = run("git", ["-C", repository, "log", `-${commits}`, `--format=${format}`, "main"]);
  return [[["soft", `$ git log -${commits} --format='${format}'`]], ...said.map(lineOf)];
}

function whoLines(): readonly Line[] {
  const question = ["who", "deployment/web", "-n", "shop", ".spec.replicas"];
  const said = run(process.execPath, ["src/main.ts", ...question, "--repository", repository]);
  const lineOf = (line: string): Line => {
    const [, id, when, who, how] = /^([0-9a-f]{10})(\s+\S+Z\s+)(\S+)(\s+.*)$/.exec(line) ?? [];
    if (id === undefined || when === undefined || who === undefined || how === undefined) return [["text", line]];
    return [
      ["hash", id],
      ["soft", when],
      ["person", who],
      ["proof", how],
    ];
  };
  return [
    [["soft", `$ npx kubescribe ${question.join(" ")}`]],
    ...said.filter((line) => !line.startsWith("demo/")).map(lineOf),
  ];
}

function run(command: string, args: readonly string[]): readonly string[] {
  return execFileSync(command, [...args], { cwd: root, encoding: "utf8" })
    .trimEnd()
    .split("\n");
}

function svgOf(text: readonly Line[], theme: Theme): string {
  const columns = Math.max(...text.map((line) => line.reduce((sum, [, piece]) => sum + piece.length, 0)));
  const width = Math.ceil(columns * fontSize * advance + 2 * margin);
  const height = titleHeight + text.length * lineHeight + 2 * margin;
  const dots = [0, 1, 2].map((at) => `<circle cx="${margin + at * 16}" cy="17" r="5" fill="${theme.line}"/>`).join("");
  const rows = text.map((line, at) => {
    const y = titleHeight + margin + at * lineHeight + fontSize;
    let column = 0;
    const pieces = line.map(([ink, piece]) => {
      // Each piece has its place: columns hold in whatever font there is.
      const x = (margin + column * fontSize * advance).toFixed(1);
      column += piece.length;
      return `<tspan x="${x}" fill="${theme[ink]}">${escaped(piece)}</tspan>`;
    });
    return line.length === 0 ? "" : `<text y="${y}" xml:space="preserve">${pieces.join("")}</text>\n`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escaped(title)}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${font}" font-size="${fontSize}">\n` +
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${theme.paper}" stroke="${theme.line}"/>\n` +
    `${dots}\n<path d="M0 ${titleHeight}H${width}" stroke="${theme.line}"/>\n${rows.join("")}</svg>\n`
  );
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
