/**
 * From the version before to this one and back, while people write: what each version's own command or chart makes, its own code, and the data
 * that the other has left. Nothing is lost or doubled, and authors stay.
 */

import { afterAll, beforeAll, expect, test } from "vitest";

import { doubled, fsck } from "./history.ts";
import { Installed, namespace } from "./installed.ts";
import { Load } from "./load.ts";
import { OlderCheckout } from "./older-checkout.ts";
import { type Pod, root } from "./pods.ts";
import { Shell } from "./typed.ts";

const users = ["alice", "bob", "carol", "dave"];
/** So many that of none more reviews wait for the next process than are kept (--pending-per-resource), however slow this machine is. */
const names = Array.from({ length: 12 }, (_, index) => `upgraded-${index}`);

interface Way {
  readonly name: string;
  /** Its data lies on a volume, so one pod ends before the next begins, and nobody takes reviews in between. */
  readonly volume: boolean;
  /** Brings the objects of one version; `first`: nothing is there yet. `back`: to the version that was there first. */
  readonly bring: (at: Place, source: string, turn: "first" | "on" | "back") => Promise<void>;
}

interface Place {
  readonly here: Installed;
  /** By the checkout that its `kubescribe` is of. */
  readonly shells: ReadonlyMap<string, Shell>;
}

const ways: readonly Way[] = [
  {
    name: "kubectl apply, with a volume",
    volume: true,
    bring: async ({ here, shells }, source) => {
      const options = `--watch configmaps --storage pvc -- --log-level=debug '${here.allow}'`;
      await shells.get(source)?.type(`kubescribe install ${options} | kubectl apply -f -`);
    },
  },
  {
    name: "helm, without one",
    volume: false,
    bring: async ({ here, shells }, source, turn) => {
      const shell = shells.get(source);
      const args = ["--log-level=debug", here.allow];
      shell?.write("values.yaml", JSON.stringify({ watch: [{ apiGroups: [""], resources: ["configmaps"] }], args }));
      const commands = {
        first: `helm install kubescribe deploy/chart --namespace ${namespace} --create-namespace --values values.yaml`,
        on: `helm upgrade kubescribe deploy/chart --namespace ${namespace} --values values.yaml`,
        back: `helm rollback kubescribe 1 --namespace ${namespace}`,
      };
      await shell?.type(commands[turn]);
    },
  },
];

let before: OlderCheckout;

beforeAll(() => {
  before = new OlderCheckout();
});

afterAll(() => before[Symbol.dispose]());

test.each(ways)("by $name, an installation is upgraded and rolled back under load", async ({ bring, volume }) => {
  await using here = await Installed.open();
  const sources = [before.directory, root];
  const shells = new Map(sources.map((source, index) => [source, new Shell(here.plane, { name: `${index}`, source })]));
  const typesAreOf = async (source: string): Promise<void> => {
    for (const [each, shell] of shells) {
      const { stdout } = await shell.run("kubescribe install --check");
      const found = each === source ? /^ok +custom resources +3, of this/m : /^LACKS +custom resources .*of another/m;
      expect(stdout).toMatch(found);
    }
  };
  const place = { here, shells };
  await bring(place, before.directory, "first");
  const shell = new Shell(here.plane);
  shell.write("rules.yaml", here.rules());
  await shell.type("kubectl apply -f rules.yaml");
  await typesAreOf(before.directory);
  let pod: Pod = await here.start(before.directory);
  await here.recorded(pod);
  // The very first process has to fill in the webhook's configuration, and the history says so.
  const begunMs = Math.floor(Date.now() / 1000) * 1000;
  const load = await Load.start(here.plane, names, users);
  await load.acknowledged(30);
  for (const [source, turn] of [
    [root, "on"],
    [before.directory, "back"],
  ] as const) {
    await bring(place, source, turn);
    await typesAreOf(source);
    await load.acknowledged(20);
    const older = pod;
    if (volume) {
      load.reviewing = false;
      expect(await older.stop()).toBe(0);
      pod = await here.start(source);
      await pod.ready();
      await here.reviewed(pod);
      load.reviewing = true;
    } else {
      pod = await here.start(source);
      await pod.ready();
      await load.acknowledged(20);
      expect(await older.stop()).toBe(0);
    }
    await load.acknowledged(40);
  }
  await load.stop();
  expect(load.writes.filter(({ reviewed }) => reviewed).length).toBeGreaterThan(150);
  const faults = await load.judge(here, { gaps: false });
  if (faults.length > 0) throw new Error([...faults, ...here.failedOpen()].join("\n"));
  const commits = await here.commits();
  expect(doubled(commits)).toEqual([]);
  expect(await fsck(here.repository)).toBe("");
  expect(await shell.type("kubectl diff -f rules.yaml")).toBe("");
  const blind = commits.filter(({ kind, subject }) => kind === "coverage" && blindFromMs(subject) >= begunMs);
  expect(blind.length > 0, blind.map(({ subject }) => subject).join("\n")).toBe(volume);
  const tiers = Map.groupBy(
    commits.filter(({ kind }) => kind === ""),
    ({ tier }) => tier,
  );
  const counts = [...tiers].map(([tier, { length }]) => `${tier} ${length}`).join(", ");
  console.info(`upgraded and rolled back during ${load.writes.length} writes; commits: ${counts}`);
});

/** As a coverage commit's subject says it, in whole seconds of UTC. */
function blindFromMs(subject: string): number {
  const [, from] = / from (\S+ \S+) /.exec(subject) ?? [];
  if (from === undefined) throw new Error(`expected a time in "${subject}"`);
  return Date.parse(`${from.replace(" ", "T")}Z`);
}
