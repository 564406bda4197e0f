import type { Fault } from "../fault.ts";
import { webhookTimeoutMs } from "../reviews.ts";

/** Half of them leave the API server waiting until it gives up. */
export const lostReviews: Fault = {
  name: "lost-reviews",
  help: "a review never reaches kubescribe, or its answer never comes back",
  weight: 3,
  strike: (world, dice) => {
    const waits = dice.chance(0.5);
    const answerOnly = dice.chance(0.4);
    world.reviews.arm({
      meet: async (review, go) => {
        world.befell(answerOnly ? "lost-reviews (answer)" : "lost-reviews");
        if (answerOnly) await go(review);
        await world.wait(waits ? webhookTimeoutMs : 1);
        return null;
      },
    });
  },
};
