import type { Fault } from "../fault.ts";
import { isWatch } from "../network.ts";

const deepest = 8;

export const watchRepeats: Fault = {
  name: "watch-repeats",
  help: "a watch that goes on begins earlier than it was asked to: events come again",
  weight: 3,
  strike: (world, dice) => {
    const back = 1 + dice.below(deepest);
    world.requests.arm({
      accepts: ({ url }) =>
        isWatch(url) && Number(url.searchParams.get("resourceVersion")) > world.cluster.store.compacted,
      meet: (call, go) => {
        const url = new URL(call.url);
        const asked = Number(url.searchParams.get("resourceVersion"));
        const from = Math.max(world.cluster.store.compacted, asked - back);
        world.befell("watch-repeats", `from ${from}, asked for ${asked}`);
        url.searchParams.set("resourceVersion", String(from));
        return go({ ...call, url });
      },
    });
    world.network.cutOne(dice);
  },
};
