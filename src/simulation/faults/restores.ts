import type { Fault } from "../fault.ts";

const deepest = 12;
/** Before anything is written: what counts higher again by then has not been restored for kubescribe (K48). */
export const seenAgainMs = 120_000;

/** The API servers stop for it; kubescribe sees them again before much is written (K48). */
export const restores: Fault = {
  name: "restores",
  help: "the cluster is restored from a backup and counts backwards",
  weight: 0.5,
  strike: async (world, dice) => {
    const back = dice.below(deepest);
    await world.users.idle();
    const { store } = world.cluster;
    const revision = Math.max(store.compacted, store.revision - back);
    if (revision < world.preparedRevision) return;
    world.befell("restores", `from ${store.revision} to ${revision}`);
    world.restore(revision);
    world.network.cut();
    await world.machine.supervise();
    await world.wait(seenAgainMs);
  },
};
