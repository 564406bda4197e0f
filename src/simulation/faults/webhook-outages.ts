import type { Fault } from "../fault.ts";

const longest = 20;

export const webhookOutages: Fault = {
  name: "webhook-outages",
  help: "no review gets through for a while, and the policy is Ignore",
  weight: 1,
  strike: (world, dice) => {
    for (let left = 1 + dice.below(longest); left > 0; left -= 1) {
      world.reviews.arm({
        meet: async () => {
          world.befell("webhook-outages");
          await world.wait(1);
          return null;
        },
      });
    }
  },
};
