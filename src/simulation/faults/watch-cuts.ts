import type { Fault } from "../fault.ts";

export const watchCuts: Fault = {
  name: "watch-cuts",
  help: "the connections of watches break at any byte",
  weight: 5,
  strike: (world, dice) => {
    const cut = dice.chance(0.5) ? world.network.cut() : world.network.cutOne(dice);
    if (cut > 0) world.befell("watch-cuts", `${cut} cut`);
  },
};
