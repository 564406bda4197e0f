import type { Fault } from "../fault.ts";

const longestMs = 6_000;

/** Users go on by another API server. */
export const apiOutages: Fault = {
  name: "api-outages",
  help: "the API server that kubescribe talks to restarts, or cannot be reached",
  weight: 2,
  strike: (world, dice) => {
    world.befell("api-outages");
    const up = world.network.goDown();
    world.clock.after(dice.below(longestMs), up);
  },
};
