/** What the scoreboard measures with: the machine's git, clock and CPU. */

import type { PlayPorts } from "../simulation/scoreboard/play-cell.ts";
import { stockGit } from "./node-stock-git.ts";

export const scoreboardMeasures: PlayPorts = {
  git: stockGit,
  cpuMs: () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  },
  nowUs: () => performance.now() * 1000,
};
