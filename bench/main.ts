/**
 * Runs the benchmarks one after the other, each in a process of its own: they must not warm each other up. `--only NAME` runs one
 * (again for more), `--smoke` all of them in seconds, `--full` goes to the largest sizes, `--json` prints one document per line, `--out` writes
 * them to a file beside the table.
 *
 *     node bench/main.ts [--only NAME] [--smoke] [--full] [--json] [--out FILE]
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

/** In the order of a change's way. */
const benches: Readonly<Record<string, string>> = {
  webhook: "reviews over TLS, beside a bare HTTPS server, idle and while another process commits",
  watch: "bytes of a watch to events, beside JSON.parse",
  engine: "bytes of a watch and its reviews to changes, beside JSON.parse",
  yaml: "an object's bytes to canonical YAML",
  git: "prepared files to commits on disk, beside git fast-import",
  tools: "a file changed and committed: git, es-git and isomorphic-git beside us",
  commit: "a change to its durable commit; the main loop and the webhook meanwhile",
  push: "commits on disk to a remote over HTTP, beside git push",
  history: "a long history in threads: pauses, packs, and what stock git makes of it",
  disk: "what a history takes on disk, beside git repack and gc",
  growth: "what a change costs by the files of a branch and the commits behind it",
  memory: "100,000 idle resources",
  sizing: "memory and CPU of a real process by the size of a cluster, in memory cgroups",
  churn: "a simulated day of names that come and go; a flood of reviews",
  who: "who changed a resource, in a history of 100,000 changes, beside git log",
  promises: "what the first designs promised, beside them",
};

/** Those that weigh what is left after a collection of garbage. */
const collected = new Set(["memory", "churn"]);

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    smoke: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    out: { type: "string" },
  },
});
const wanted = values.only.length === 0 ? Object.keys(benches) : values.only;
const unknown = wanted.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`expected --only ${Object.keys(benches).join(", ")}; found ${unknown.join(", ")}`);
  process.exit(2);
}
const out = values.out === undefined ? null : resolve(values.out);
if (out !== null) await writeFile(out, "");
const failed: string[] = [];
for (const name of wanted) {
  if (!values.json) console.log(`\n## ${name}: ${benches[name] ?? ""}\n`);
  const flags = (["smoke", "full", "json"] as const).flatMap((flag) => (values[flag] ? [`--${flag}`] : []));
  if (out !== null) flags.push("--out", out);
  const file = new URL(`${name}.ts`, import.meta.url).pathname;
  const child = spawn(process.execPath, [...(collected.has(name) ? ["--expose-gc"] : []), file, ...flags], {
    stdio: "inherit",
  });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`\nfailed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
