import type { Fault } from "../fault.ts";

const longestMs = 10_000;

export const slowGit: Fault = {
  name: "slow-git",
  help: "a flush takes seconds, before or after it is done",
  weight: 2,
  strike: (world, dice) => {
    const ms = dice.below(longestMs);
    const before = dice.chance(0.5);
    world.flushes.arm({
      meet: async (call, go) => {
        world.befell("slow-git", `${call.targetId}, ${ms} ms`);
        if (before) await world.wait(ms);
        const result = await go(call);
        if (!before) await world.wait(ms);
        return result;
      },
    });
  },
};
