import type { Fault } from "../fault.ts";

const longestMs = 5_000;

export const unreadableGit: Fault = {
  name: "unreadable-git",
  help: "a repository cannot be read for a while, by its rights or its disk",
  weight: 2,
  strike: (world, dice) => {
    const code = dice.pick(["EACCES", "EIO"] as const);
    world.disk.trouble({
      code,
      under: dice.pick(["/repos/shared.git", "/repos/team.git"]),
      calls: /^(?:open|read|readFile|list|stat)$/,
      probability: dice.pick([0.1, 1]),
      forMs: dice.below(longestMs),
      random: dice.next,
      leavesPart: false,
      struck: () => world.befell(`unreadable-git (${code})`),
    });
  },
};
