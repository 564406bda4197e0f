import type { Fault } from "../fault.ts";

const kinds = [null, null, "file", "write", "network", "clock", "review", "commit pool"] as const;
const mostCalls = 60;

export const crashes: Fault = {
  name: "crashes",
  help: "kubescribe is killed at any call of a port; a file that it writes may end in the middle",
  weight: 2,
  strike: (world, dice) => {
    const kind = dice.pick(kinds);
    const calls = 1 + dice.below(kind === null || kind === "file" || kind === "write" ? mostCalls : 6);
    world.machine.crashAt({ kind, calls, torn: dice.chance(0.5) });
  },
};
