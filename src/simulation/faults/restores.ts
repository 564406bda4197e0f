import type { Fault } from "../fault.ts";

const deepest = 12;
/** Longer than a request is on its way. */
const downMs = 50;
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
    const goUp = world.network.goDown();
    // Nothing that was asked of the servers before is answered by those that come.
    await world.wait(downMs);
    const { store } = world.cluster;
    const revision = Math.max(store.compacted, store.revision - back);
    if (revision >= world.preparedRevision) {
      world.befell("restores", `from ${store.revision} to ${revision}`);
      world.restore(revision);
    }
    goUp();
    await world.machine.supervise();
    await world.wait(seenAgainMs);
  },
};
