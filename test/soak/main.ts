/**
 * `npm run soak`: an installation under load on a real control plane, while its certificates are renewed, its rules change and its pods are
 * replaced; then every acknowledged write is looked for in the history. `-- --minutes 30 --record` writes docs/SOAK.md. `--incident NAME`
 * (again for more) lets nothing else befall it. Where something is wrong, the history and what the pods said are kept.
 *
 * Pods are replaced in the first half only: the last one lives long enough to show what becomes of its memory.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { Household } from "./household.ts";
import { type Incident, incidents } from "./incidents.ts";
import { judge } from "./judge.ts";
import { pageOf } from "./page.ts";
import { Writers } from "./writers.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    record: { type: "boolean", default: false },
    incident: { type: "string", multiple: true, default: [] },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes: expected a number above 0, found ${values.minutes}`);

const wanted = incidents.filter(({ name }) => values.incident.length === 0 || values.incident.includes(name));
if (wanted.length === 0) {
  const names = [...new Set(incidents.map(({ name }) => name))].join(", ");
  throw new Error(`--incident: expected one of ${names}; found ${values.incident.join(", ")}`);
}

const startedMs = performance.now();
const elapsedSeconds = (): number => Math.round((performance.now() - startedMs) / 1000);
const say = (line: string): void => console.log(`[${String(elapsedSeconds()).padStart(5)} s] ${line}`);

await using household = await Household.start();
say("installed, and recording");
const writers = Writers.start(household.plane);
const befell: Incident["name"][] = [];
for (let turn = 0; elapsedSeconds() < minutes * 60; turn += 1) {
  const incident = wanted[turn % wanted.length];
  if (incident === undefined) break;
  if (incident.name === "pod replaced" && wanted.length > 1 && elapsedSeconds() > minutes * 30) continue;
  say(`${incident.name}; ${writers.count} writes so far, ${household.rssMib()} MiB`);
  await incident.strike(household);
  befell.push(incident.name);
  await household.rest(incident.restSeconds);
}
await writers.stop();
say("no more writes; every one of them is looked for");
const verdict = await judge(household, writers);
say("judged");
const page = pageOf({ household, writers, verdict, befell, seconds: elapsedSeconds() });
console.log(page);
if (values.record) writeFileSync(join(import.meta.dirname, "../../docs/SOAK.md"), page);
const clean = verdict.faults.length === 0 && verdict.unnamed === 0;
if (!clean) say(`kept for a look: ${household.keep()}`);
process.exitCode = clean ? 0 : 1;
