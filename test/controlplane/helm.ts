import { spawnSync } from "node:child_process";

import { toolPath } from "./binaries.ts";

export interface HelmResult {
  /** 0 when it went well. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs helm to its end, whatever that is. `home` keeps its cache out of the user's own. */
export function runHelm(
  args: readonly string[],
  { home, kubeconfig = "" }: { readonly home: string; readonly kubeconfig?: string },
): HelmResult {
  const env = {
    ...process.env,
    HOME: home,
    XDG_CACHE_HOME: home,
    XDG_CONFIG_HOME: home,
    XDG_DATA_HOME: home,
    KUBECONFIG: kubeconfig,
  };
  const { status, stdout, stderr } = spawnSync(toolPath("helm"), [...args], {
    env,
    encoding: "utf8",
    timeout: 120_000,
  });
  return { code: status ?? 1, stdout, stderr };
}
