import type { Fault } from "../fault.ts";

const longestMs = 5_000;

export const fullDisks: Fault = {
  name: "full-disks",
  help: "writes to the data directory, or to a repository, find no room for a while",
  weight: 2,
  strike: (world, dice) => {
    const under = dice.pick(["/repos", "/repos", "/data"]);
    world.disk.trouble({
      code: "ENOSPC",
      under,
      calls: /^write$/,
      probability: 0.5,
      forMs: dice.below(longestMs),
      random: dice.next,
      leavesPart: dice.chance(0.5),
      struck: () => world.befell(`full-disks (${under})`),
    });
  },
};
