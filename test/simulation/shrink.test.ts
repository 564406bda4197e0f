/** What fails is made short, and can be played again by the command that is printed. The first design is what fails here. */

import { expect, test } from "vitest";

import { replayCommand } from "../../src/commands/replay.ts";
import { parseSimulateOptions } from "../../src/commands/simulate-options.ts";
import { simulate } from "../../src/commands/simulate.ts";
import { stockGit } from "../../src/composition/node-stock-git.ts";
import { catalogue } from "../../src/simulation/faults/catalogue.ts";
import type { Job } from "../../src/simulation/job.ts";
import { play } from "../../src/simulation/play.ts";

const known = catalogue.map(({ name }) => name);

function jobOf(...argv: readonly string[]): Job {
  const [job] = parseSimulateOptions(argv, known).jobs;
  if (job === undefined) throw new Error("no job");
  return job;
}

test("a run that breaks a promise is shortened, and the printed command breaks it again", async () => {
  const said: string[] = [];
  const job = jobOf("--seed", "3", "--changes", "120", "--attribution", "fifo", "--faults", "none");
  const ports = { out: (text: string) => void said.push(text), progress: () => undefined };
  const options = { jobs: [job], threads: null, trace: false, json: false };
  expect(await simulate(options, { ...ports, play: (each) => play(each, stockGit) })).toBe(1);
  const text = said.join("");
  const commands = [...text.matchAll(/again: npm run simulate -- (.*)/g)].map(([, flags = ""]) => flags.split(" "));
  const [whole, short] = commands.map((flags) => jobOf(...flags));
  expect(whole).toEqual({ ...job, traced: true });
  expect(short?.only?.length).toBeLessThan(12);
  const { broken } = await play(short ?? job, stockGit);
  expect(broken.length).toBeGreaterThan(0);
  expect(text).toContain(broken[0]);
});

test("a job comes back from its command as it was", () => {
  const argv = ["--seed", "7", "--changes", "300", "--faults", "crashes:4,restores,denials:0.5", "--fault-every", "90"];
  const job = jobOf(...argv, "--only", "3,17,20-24", "--trace");
  expect(job).toMatchObject({
    rates: { every: 90, weights: { crashes: 4, denials: 0.5 } },
    only: [3, 17, 20, 21, 22, 23, 24],
  });
  expect(jobOf(...replayCommand(job).split(" ").slice(4))).toEqual(job);
});

test.each([
  ["crashs", /names that --help lists, found "crashs"\. Did you mean "crashes"\?/],
  ["crashes:", /a weight such as crashes:4, found "crashes:"/],
  ["crashes:1:2", /a weight such as crashes:4/],
  ["stops,stops:-1", /a weight such as stops:4/],
])("--faults %s is refused", (text, message) => {
  expect(() => jobOf("--faults", text)).toThrow(message);
});
