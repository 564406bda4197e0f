import type { SimulatedCluster, WriteRequest } from "../../simulator/cluster.ts";
import type { JsonObject } from "../../simulator/json.ts";
import { numberAt, objectAt, stringAt } from "../../simulator/json.ts";
import { CONFIG_MAPS, DEPLOYMENTS, type SimulatedType, WIDGETS } from "../../simulator/resource-types.ts";
import type { Dice } from "../dice.ts";
import type { Fault, World } from "../fault.ts";

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

interface Standing {
  readonly request: WriteRequest;
  readonly object: JsonObject;
}

function named(name: string): WriteRequest["user"] {
  return { name, groups: ["system:authenticated"] };
}

function standing({ store }: SimulatedCluster, dice: Dice): Standing | null {
  const type = dice.pick([CONFIG_MAPS, DEPLOYMENTS, DEPLOYMENTS, WIDGETS]);
  const all = (store.list(type.key, { namespace: "", revision: store.revision }) ?? []).filter(
    ({ object }) => !("deletionTimestamp" in objectAt(object, "metadata")),
  );
  const chosen = all[dice.below(all.length)];
  return chosen === undefined ? null : { request: requestFor(type, chosen.object), object: chosen.object };
}

function requestFor(type: SimulatedType, object: JsonObject): WriteRequest {
  const metadata = objectAt(object, "metadata");
  return {
    user: named(""),
    verb: "patch",
    type,
    namespace: stringAt(metadata, "namespace"),
    name: stringAt(metadata, "name"),
    subresource: "",
    body: {},
    fieldManager: "kubectl",
    userAgent: "kubectl",
    dryRun: false,
  };
}

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
