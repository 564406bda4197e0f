import type { Fault } from "../fault.ts";

export const stops: Fault = {
  name: "stops",
  help: "kubescribe is stopped as on SIGTERM, and started again",
  weight: 1,
  strike: async (world) => {
    if (world.machine.process === null) return;
    world.befell("stops");
    await world.machine.stop();
  },
};
