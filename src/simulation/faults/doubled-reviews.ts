import type { Fault } from "../fault.ts";

const latestMs = 2_000;

export const doubledReviews: Fault = {
  name: "doubled-reviews",
  help: "a review arrives twice",
  weight: 2,
  strike: (world, dice) => {
    const delayMs = dice.below(latestMs);
    world.reviews.arm({
      meet: (review, go) => {
        world.befell("doubled-reviews");
        void go({ ...review, delayMs });
        return go(review);
      },
    });
  },
};
