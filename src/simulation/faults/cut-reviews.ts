import type { Fault } from "../fault.ts";

export const cutReviews: Fault = {
  name: "cut-reviews",
  help: "a review's body ends at any byte",
  weight: 2,
  strike: (world, dice) => {
    world.reviews.arm({
      meet: (review, go) => {
        world.befell("cut-reviews");
        const { body } = review.request;
        return go({ ...review, request: { ...review.request, body: body.subarray(0, dice.below(body.length)) } });
      },
    });
  },
};
