import type { Fault } from "../fault.ts";

const longestMs = 5_000;

/** K2: the API server goes on answering, from what it has seen. */
export const laggingServers: Fault = {
  name: "lagging-servers",
  help: "an API server's watch cache stands still: events late, lists older than what was seen, stale writes",
  weight: 2,
  strike: (world, dice) => {
    const server = dice.below(world.cluster.servers.length);
    const lagging = world.cluster.server({ server });
    world.befell("lagging-servers");
    lagging.hold();
    world.clock.after(dice.below(longestMs), () => lagging.catchUp());
  },
};
