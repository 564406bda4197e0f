import type { Fault } from "../fault.ts";

const farthestMs = 30_000;

export const clockJumps: Fault = {
  name: "clock-jumps",
  help: "the wall clock jumps by up to half a minute, to and fro",
  weight: 2,
  strike: (world, dice) => {
    const ms = dice.below(2 * farthestMs) - farthestMs;
    world.befell("clock-jumps", `${ms} ms`);
    world.clock.jump(ms);
  },
};
