import type { Fault } from "../fault.ts";

const most = 60;

export const storms: Fault = {
  name: "storms",
  help: "dozens of requests at once",
  weight: 1,
  strike: (world, dice) => {
    const requests = 10 + dice.below(most);
    world.befell("storms", `${requests} requests`);
    world.users.storm(requests, dice);
  },
};
