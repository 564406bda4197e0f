import { KubescribeError } from "../../../machines/error.ts";
import type { Fault } from "../fault.ts";

export const lyingGit: Fault = {
  name: "lying-git",
  help: "a flush says that it failed, though it committed",
  weight: 2,
  strike: (world) => {
    world.flushes.arm({
      meet: async (call, go) => {
        await go(call);
        world.befell("lying-git", call.targetId);
        throw new KubescribeError("git-failed", "it was done all the same", { retry: "backoff" });
      },
    });
  },
};
