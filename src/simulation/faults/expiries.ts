import type { Fault } from "../fault.ts";
import { isWatch } from "../network.ts";

/** K26: as a status, and behind a status 200. What was there is believed to be gone: a gap. */
export const expiries: Fault = {
  name: "expiries",
  help: "a watch is answered 410, by its status or in the stream, though nothing was compacted",
  weight: 2,
  strike: (world, dice) => {
    const inStream = dice.chance(0.5);
    world.requests.arm({
      accepts: ({ url }) => isWatch(url) && !url.searchParams.has("sendInitialEvents"),
      meet: async ({ url }) => {
        world.befell(`expiries (${inStream ? "in the stream" : "status"})`, url.pathname);
        return world.network.expired(url, inStream);
      },
    });
    world.network.cutOne(dice);
  },
};
