import type { Fault } from "../fault.ts";

const most = 12;

export const denials: Fault = {
  name: "denials",
  help: "another webhook, or a quota, refuses some writes behind our review",
  weight: 3,
  strike: (world, dice) => {
    world.users.refuse(1 + dice.below(most), dice);
  },
};
