import type { Fault } from "../fault.ts";
import { webhookTimeoutMs } from "../reviews.ts";

const latestMs = 3_000;

export const lateReviews: Fault = {
  name: "late-reviews",
  help: "a review arrives after the API server gave it up, when its write is long done",
  weight: 2,
  strike: (world, dice) => {
    const delayMs = webhookTimeoutMs + dice.below(latestMs);
    world.reviews.arm({
      meet: (review, go) => {
        world.befell("late-reviews");
        return go({ ...review, delayMs });
      },
    });
  },
};
