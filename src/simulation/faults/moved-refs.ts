import type { Fault } from "../fault.ts";
import { pushForeignCommit } from "../foreign-commit.ts";

const latestMs = 6;

export const movedRefs: Fault = {
  name: "moved-refs",
  help: "somebody else commits to the branch in the middle of a flush: files of his own, or nothing",
  weight: 2,
  strike: (world, dice) => {
    const ms = dice.below(latestMs);
    const file = dice.chance(0.5) ? `notes-${dice.below(5)}.txt` : "";
    world.flushes.arm({
      meet: async (call, go) => {
        const flushed = go(call);
        // Whoever waits for it below is told.
        flushed.catch(() => undefined);
        await world.wait(ms);
        const place = world.targets.get(call.targetId);
        if (place === undefined) return await flushed;
        const moved = await pushForeignCommit(world.disk.files, {
          clock: world.clock,
          repository: place.gitdir,
          ref: `refs/heads/${place.branch}`,
          // Elsewhere than in the targets' folders.
          file: place.prefix === "" ? "" : file,
          text: `${world.clock.nowMs()}\n`,
          second: Math.floor(world.clock.nowMs() / 1000),
        });
        if (moved) world.befell("moved-refs", call.targetId);
        return await flushed;
      },
    });
  },
};
