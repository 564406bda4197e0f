import type { Fault } from "../fault.ts";

const paths = ["/", "/correlate/", "/Correlate", "//correlate", "/correlate/x", "/correlate%2f"] as const;

/** Somebody who does not know the admission path claims to have done what another one asks for. */
export const forgedReviews: Fault = {
  name: "forged-reviews",
  help: "somebody without the path plants reviews under a name of his own, or rubbish behind it",
  weight: 2,
  strike: (world, dice) => {
    world.reviews.arm({
      meet: async (review, go) => {
        world.befell("forged-reviews");
        const named = Buffer.from(review.request.body).toString();
        const body = Buffer.from(named.replace(/"username":"[^"]*"/, '"username":"mallory"'));
        const rubbish = Buffer.from(dice.pick(["", "{}", "null", '{"kind":"AdmissionReview","request":7}', "\u0000"]));
        const forged = dice.chance(0.5)
          ? { ...review.request, url: dice.pick(paths), body }
          : dice.chance(0.5)
            ? { ...review.request, method: "PUT", body }
            : { ...review.request, body: rubbish };
        const answer = await go({ ...review, request: forged, delayMs: 0 });
        if (answer?.status === 200) world.broken(`a forged review was taken: ${forged.method} ${forged.url}`);
        return await go(review);
      },
    });
  },
};
