import type { Fault } from "../fault.ts";

const mostCalls = 40;

export const lostGit: Fault = {
  name: "lost-git",
  help: "the worker that commits dies in the middle of it; the process lives on",
  weight: 2,
  strike: (world, dice) => {
    const calls = 1 + dice.below(mostCalls);
    world.machine.process?.loseWorker({ calls }, (what) => world.befell("lost-git", what));
  },
};
