import { KubescribeError } from "../../../machines/error.ts";
import type { Fault } from "../fault.ts";

const most = 4;

export const rejectingGit: Fault = {
  name: "rejecting-git",
  help: "flushes fail, and nothing of them is done",
  weight: 2,
  strike: (world, dice) => {
    for (let left = 1 + dice.below(most); left > 0; left -= 1) {
      world.flushes.arm({
        meet: async (call) => {
          world.befell("rejecting-git", call.targetId);
          throw new KubescribeError("git-failed", "it was rejected", { retry: "backoff" });
        },
      });
    }
  },
};
