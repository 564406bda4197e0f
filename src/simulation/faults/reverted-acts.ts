import type { Fault } from "../fault.ts";
import { named, standing } from "./standing.ts";

const stalledMs = 1_000;

/** K14, K36: the bytes are his who was refused, and theirs who wrote them later, on top of something else. */
export const revertedActs: Fault = {
  name: "reverted-acts",
  help: "what was refused is done by somebody else behind another change, and both are lost to a compaction",
  weight: 1,
  strike: async (world, dice) => {
    const { cluster, users, machine, network } = world;
    await users.idle();
    await machine.supervise();
    const object = standing(cluster, dice);
    if (object === null) return;
    world.befell("reverted-acts");
    network.stall(stalledMs);
    const ask = (user: string, note: string, refused: boolean): Promise<void> =>
      users.act(
        { ...object.request, user: named(user), body: { metadata: { annotations: { note } } } },
        { reviewed: true, refused, dice },
      );
    await ask("erin", "one", true);
    await ask("frank", "other", false);
    await ask("grace", "one", false);
    cluster.store.compact(cluster.store.revision);
    network.cut();
  },
};
