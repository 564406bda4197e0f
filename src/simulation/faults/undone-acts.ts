import type { SimulatedCluster, WriteRequest } from "../../simulator/cluster.ts";
import { CONFIG_MAPS } from "../../simulator/resource-types.ts";
import type { Dice } from "../dice.ts";
import type { Fault } from "../fault.ts";
import type { Standing } from "./standing.ts";
import { seenAgainMs } from "./restores.ts";
import { named, standingOf } from "./standing.ts";

/** Long enough for a flush, too short for what is known of the resources to be kept over the end. */
const flushedMs = 300;
const others = 4;

/** K48, K50: an earlier process heard of versions that mean something else by now. */
export const undoneActs: Fault = {
  name: "undone-acts",
  help: "a backup is restored while kubescribe is down; what it undid comes again, and what was refused is done",
  weight: 1,
  strike: async (world, dice) => {
    const { cluster, users, machine } = world;
    await users.idle();
    await machine.supervise();
    const { store } = cluster;
    const ask = (request: WriteRequest, user: string, how: "answered" | "refused" | "unheard"): Promise<void> =>
      users.act({ ...request, user: named(user) }, { reviewed: how !== "unheard", refused: how === "refused", dice });
    const name = `new-${store.revision}`;
    await ask(creation(name, dice), "ivan", "answered");
    const { object, besides } = apart(cluster, name);
    if (object === null || besides.length === 0) return;
    const backup = store.revision;
    await ask(noted(object, "one"), "ivan", "answered");
    const deletion = { ...object.request, verb: "delete" } as const;
    await ask(deletion, "erin", "refused");
    for (let at = 0; at < others; at += 1) {
      const other = besides[at % besides.length];
      if (other !== undefined) await ask(noted(other, `${store.revision}`), "judy", "answered");
    }
    await world.wait(flushedMs);
    world.befell("undone-acts", `from ${store.revision} to ${backup}`);
    machine.kill();
    world.restore(backup);
    world.network.cut();
    await machine.supervise();
    await world.wait(seenAgainMs);
    await ask(noted(object, "other"), "ivan", "unheard");
    await ask(deletion, "frank", "unheard");
  },
};

function creation(name: string, dice: Dice): WriteRequest {
  return {
    user: named(""),
    verb: "create",
    type: CONFIG_MAPS,
    namespace: dice.pick(["a", "b"]),
    name: "",
    subresource: "",
    body: { metadata: { name } },
    fieldManager: "kubectl",
    userAgent: "kubectl",
    dryRun: false,
  };
}

function apart(cluster: SimulatedCluster, name: string): { object: Standing | null; besides: readonly Standing[] } {
  const all = standingOf(cluster, CONFIG_MAPS);
  const besides = all.filter(({ request }) => request.name !== name);
  return { object: all.find(({ request }) => request.name === name) ?? null, besides };
}

function noted({ request }: Standing, note: string): WriteRequest {
  return { ...request, body: { metadata: { annotations: { note } } } };
}
