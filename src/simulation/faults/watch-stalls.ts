import type { Fault } from "../fault.ts";

const longestMs = 8_000;

export const watchStalls: Fault = {
  name: "watch-stalls",
  help: "nothing of any watch arrives for a while",
  weight: 3,
  strike: (world, dice) => {
    const ms = dice.below(longestMs);
    world.befell("watch-stalls", `${ms} ms`);
    world.network.stall(ms);
  },
};
