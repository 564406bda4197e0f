/** The scoreboard as charts: SVG, drawn without a browser, once for each of GitHub's themes. */

import { init, use } from "echarts/core";
import { LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

import type { Cell, Conditions, Design, Load } from "../src/simulation/scoreboard/cell.ts";
import { designs } from "../src/simulation/scoreboard/cell.ts";

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

export type Theme = "light" | "dark";
export const themes: readonly Theme[] = ["light", "dark"];

export interface Chart {
  /** Of its files: `NAME-light.svg`, `NAME-dark.svg`. */
  readonly name: string;
  readonly title: string;
  readonly xTitle: string;
  /** Which loads are on the x axis, and in which order. */
  readonly xOf: (load: Load) => number;
  readonly shows: (load: Load) => boolean;
  readonly ascending: boolean;
  /** In percent of the changes. */
  readonly yOf: (cell: Cell) => number;
}

const contention = {
  xTitle: "objects of each kind that 20 users share, 50 requests/s",
  xOf: ({ names }: Load) => names,
  shows: ({ rate }: Load) => rate === 50,
  ascending: false,
};

const wrong = ({ counts }: Cell): number => share(counts.wrongAuthors + counts.foreignLines, counts.changes);
const untrue = ({ counts }: Cell): number => share(counts.phantoms + counts.duplicates + counts.lost, counts.changes);

export const charts: readonly Chart[] = [
  {
    ...contention,
    name: "wrong-authors",
    title: "Changes whose commit names the wrong person, or credits somebody with others' lines",
    yOf: wrong,
  },
  {
    ...contention,
    name: "untrue-commits",
    title: "Commits of failed writes, duplicate commits and lost changes, for 100 changes",
    yOf: untrue,
  },
  {
    name: "wrong-authors-by-rate",
    title: "Changes whose commit names the wrong person, or credits somebody with others' lines",
    xTitle: "requests/s by 20 users on 4 objects of each kind",
    xOf: ({ rate }) => rate,
    shows: ({ names }) => names === 4,
    ascending: true,
    yOf: wrong,
  },
];

const width = 880;
const height = 380;
const font = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif";

const inks: Readonly<Record<Theme, { readonly text: string; readonly soft: string; readonly line: string }>> = {
  light: { text: "#1f2328", soft: "#59636e", line: "#d1d9e0" },
  dark: { text: "#f0f6fc", soft: "#9198a1", line: "#3d444d" },
};
/** Apart for the colour-blind, too; and each has a mark of its own. */
const colours: Readonly<Record<Theme, Readonly<Record<Design, string>>>> = {
  light: { dual: "#bf5700", fifo: "#8250df", exact: "#0969da" },
  dark: { dual: "#f0883e", fifo: "#bc8cff", exact: "#58a6ff" },
};
const symbols: Readonly<Record<Design, string>> = { dual: "triangle", fifo: "rect", exact: "circle" };
/** Where lines lie on each other, all of them show. */
const symbolSizes: Readonly<Record<Design, number>> = { dual: 11, fifo: 12, exact: 7 };
const labels: Readonly<Record<Design, string>> = {
  dual: "(a) dual path with deduplication",
  fifo: "(b) webhook, content key, FIFO",
  exact: "(c) exact",
};
const panels: readonly { readonly conditions: Conditions; readonly title: string; readonly left: string }[] = [
  { conditions: "usual", title: "as any cluster is", left: "6%" },
  { conditions: "faulty", title: "with faults", left: "55%" },
];

/** The same bytes for the same cells. */
export function svgOf(chart: Chart, cells: readonly Cell[], theme: Theme): string {
  const ink = inks[theme];
  const xs = xsOf(chart, cells);
  const top = Math.max(5, ...cells.filter(({ load }) => load.users > 1 && chart.shows(load)).map(chart.yOf));
  const step = top > 50 ? 20 : 10;
  const text = { color: ink.soft, fontFamily: font, fontSize: 12 };
  const view = init(null, null, { renderer: "svg", ssr: true, width, height });
  view.setOption({
    animation: false,
    backgroundColor: "transparent",
    title: [
      { text: chart.title, left: 12, top: 8, textStyle: { color: ink.text, fontFamily: font, fontSize: 15 } },
      ...panels.map(({ title, left }) => ({
        text: title,
        left,
        top: 64,
        textStyle: { color: ink.soft, fontFamily: font, fontSize: 13, fontWeight: "normal" as const },
      })),
    ],
    legend: { top: 34, left: 12, itemGap: 48, textStyle: { ...text, color: ink.text }, data: Object.values(labels) },
    grid: panels.map(({ left }) => ({ left, width: "40%", top: 96, bottom: 58 })),
    xAxis: panels.map((_, gridIndex) => ({
      gridIndex,
      type: "category" as const,
      data: xs.map(String),
      name: chart.xTitle,
      nameLocation: "middle" as const,
      nameGap: 30,
      nameTextStyle: text,
      axisLabel: text,
      axisLine: { lineStyle: { color: ink.line } },
      axisTick: { show: false },
    })),
    yAxis: panels.map((_, gridIndex) => ({
      gridIndex,
      type: "value" as const,
      min: 0,
      interval: step,
      max: Math.ceil(top / step) * step,
      axisLabel: { ...text, formatter: "{value}%" },
      splitLine: { lineStyle: { color: ink.line } },
    })),
    series: panels.flatMap(({ conditions }, at) =>
      designs.map((design) => ({
        type: "line" as const,
        name: labels[design],
        xAxisIndex: at,
        yAxisIndex: at,
        symbol: symbols[design],
        symbolSize: symbolSizes[design],
        color: colours[theme][design],
        lineStyle: { width: 2.5 },
        data: xs.map((x) => valueAt(chart, cells, { conditions, design, x })),
      })),
    ),
  });
  const svg = view.renderToSVGString();
  view.dispose();
  return `${named(svg, chart.title)}\n`;
}

function xsOf({ shows, xOf, ascending }: Chart, cells: readonly Cell[]): readonly number[] {
  const found = new Set(cells.filter(({ load }) => load.users > 1 && shows(load)).map(({ load }) => xOf(load)));
  return [...found].toSorted((a, b) => (ascending ? a - b : b - a));
}

function valueAt(
  { shows, xOf, yOf }: Chart,
  cells: readonly Cell[],
  at: { readonly conditions: Conditions; readonly design: Design; readonly x: number },
): number | null {
  const cell = cells.find(
    ({ load, design }) =>
      load.users > 1 && shows(load) && load.conditions === at.conditions && design === at.design && xOf(load) === at.x,
  );
  return cell === undefined ? null : Number(yOf(cell).toFixed(1));
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}

/** For whoever has it read aloud; ids of a drawing count on from the one before it in the process. */
function named(svg: string, title: string): string {
  const ids = new Map<string, string>();
  const own = svg.replaceAll(/zr\d+-/g, (id) => {
    if (!ids.has(id)) ids.set(id, `z${ids.size}-`);
    return ids.get(id) ?? id;
  });
  return own.replace(/^<svg /, `<svg role="img" aria-label="${title}" `);
}
