import type { WriteRequest } from "../../simulator/cluster.ts";
import { numberAt, objectAt } from "../../simulator/json.ts";
import type { Dice } from "../dice.ts";
import type { Fault, World } from "../fault.ts";
import type { Standing } from "./standing.ts";
import { named, standing } from "./standing.ts";

const shortestWaitMs = 12_000;
const longestWaitMs = 30_000;

/** K50. While nobody else writes: what is long after must be so on the same version. */
export const repeatedActs: Fault = {
  name: "repeated-acts",
  help: "what was refused is done by somebody else, unreviewed: at once, long after, or behind a restart",
  weight: 2,
  strike: async (world, dice) => {
    const { cluster, users } = world;
    await users.idle();
    const object = standing(cluster, dice);
    if (object === null) return;
    const [asked, done] = actsOn(object, dice);
    await users.act({ ...asked, user: named("erin") }, { reviewed: true, refused: true, dice });
    const [when, wait] = dice.pick(pauses);
    world.befell(`repeated-acts (${when})`);
    await wait(world, dice);
    await users.act({ ...done, user: named("frank") }, { reviewed: false, refused: false, dice });
  },
};

type Pause = readonly [when: string, wait: (world: World, dice: Dice) => Promise<void>];

const pauses: readonly [Pause, ...Pause[]] = [
  ["at once", () => Promise.resolve()],
  ["long after", (world, dice) => world.wait(shortestWaitMs + dice.below(longestWaitMs - shortestWaitMs))],
  ["while it is down", async (world) => world.machine.kill()],
  [
    "behind a restart",
    async ({ machine }) => {
      await machine.stop();
      await machine.supervise();
    },
  ],
];

/** What is asked for first, and what is then done: mostly the same. */
function actsOn({ request, object }: Standing, dice: Dice): readonly [WriteRequest, WriteRequest] {
  const deletion = { ...request, verb: "delete" } as const;
  if (!request.type.scalable || dice.chance(0.4)) return [deletion, deletion];
  const number = numberAt(objectAt(object, "spec"), "replicas") + 1 + dice.below(2);
  const scaledTo = (replicas: number): WriteRequest => ({
    ...request,
    subresource: "scale",
    body: { spec: { replicas } },
  });
  const more = {
    ...request,
    body: { metadata: { annotations: { note: String(number) } }, spec: { replicas: number } },
  };
  return [scaledTo(number), dice.pick([scaledTo(number), scaledTo(number + 1), more])];
}
