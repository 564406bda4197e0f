/**
 * What README tells a stranger to type, on a fresh control plane, and how long it takes from the last of it to the first commit. It is
 * printed, never asserted. KUBESCRIBE_FIRST_COMMITS=5 does it five times.
 */

import { expect, test } from "vitest";

import { documentedCommands, documentedYaml } from "./documented.ts";
import { Installed } from "./installed.ts";
import { Shell } from "./typed.ts";

const times = Number(process.env["KUBESCRIBE_FIRST_COMMITS"] ?? 1);

test("the three commands of README make an installation, whose process makes its first commit", async () => {
  const seconds: number[] = [];
  for (let time = 0; time < times; time += 1) seconds.push(await firstCommitSeconds());
  console.info(
    `from the end of the third command to the first commit: ${seconds.map((s) => s.toFixed(1)).join(", ")} s`,
  );
});

async function firstCommitSeconds(): Promise<number> {
  await using here = await Installed.open();
  const shell = new Shell(here.plane);
  const [install = "", apply = "", check = "", ...more] = documentedCommands("README.md", "In a cluster");
  expect(more).toEqual([]);
  const yaml = documentedYaml("README.md", "In a cluster");
  expect(yaml).toContain('"https://git.example.com/history.git"');
  shell.write("rules.yaml", yaml.replace("https://git.example.com/history.git", here.url));
  await shell.type("kubectl create secret generic git --from-literal=username=a --from-literal=password=b");
  // A Git server of this machine must be allowed by name; an image is for nodes, and here is none.
  expect(install).toContain(" | kubectl");
  await shell.type(install.replace(" | kubectl", ` -- '${here.allow}' | kubectl`));
  await shell.type(apply);
  const checked = await shell.run(check);
  const beganMs = performance.now();
  // Its process does not run yet, and so has written no webhook. Nothing else lacks.
  expect(checked.stdout.match(/^LACKS +\S+/gm)?.map((line) => line.replace(/^LACKS +/, ""))).toEqual([
    "process",
    "webhook",
  ]);
  const pod = await here.start();
  await here.waitForCommits("", 1, pod);
  const took = (performance.now() - beganMs) / 1000;
  expect((await here.commits())[0]).toMatchObject({ kind: "snapshot" });
  await here.recorded(pod);
  await here.plane.request("alice", "POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: "hers" } });
  expect(await here.waitForCommits("default/hers", 1, pod)).toMatchObject([{ user: "alice", tier: "exact" }]);
  return took;
}
