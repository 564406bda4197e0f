import type { Fault } from "../fault.ts";

export const ruleChanges: Fault = {
  name: "rule-changes",
  help: "the rules are given anew while it runs: what records ends and begins again, and reviews go on",
  weight: 1,
  strike: async (world) => {
    if (world.machine.process === null) return;
    world.befell("rule-changes");
    await world.machine.follow();
  },
};
