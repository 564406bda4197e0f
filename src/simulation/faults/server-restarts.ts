import type { Fault } from "../fault.ts";

export const serverRestarts: Fault = {
  name: "server-restarts",
  help: "an API server restarts: its watches break, its history begins anew, and older watches get 410",
  weight: 1,
  strike: (world, dice) => {
    world.befell("server-restarts");
    world.cluster.server({ server: dice.below(world.cluster.servers.length) }).restart();
  },
};
