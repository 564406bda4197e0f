import type { Fault } from "../fault.ts";

const mostKept = 6;

export const compactions: Fault = {
  name: "compactions",
  help: "etcd forgets what a watch has not seen yet",
  weight: 2,
  strike: (world, dice) => {
    const { store } = world.cluster;
    const keep = dice.below(mostKept);
    const cut = dice.chance(0.7);
    world.befell("compactions", `${keep} kept`);
    store.compact(store.revision - keep);
    if (cut) world.network.cut();
  },
};
