/** `kubescribe install` with this package's files, and `--check` with the network. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, resolve } from "node:path";
import { inquiryOf } from "../commands/cluster-inquiry.ts";
import type { CommandContext } from "../commands/command-line.ts";
import { exitDone } from "../commands/command-line.ts";
import { installHelp, printInstallation } from "../commands/install.ts";
import { checkInstallation } from "../commands/install-check.ts";
import type { InstallOptions } from "../commands/install-options.ts";
import { parseInstallOptions } from "../commands/install-options.ts";
import { connectApiServer } from "../kubernetes/api-server.ts";
import { Discovery } from "../kubernetes/discovery.ts";
import { createPrometheusMeter } from "../telemetry/meter.ts";
import { nodeClock } from "./node-clock.ts";
import { createNodeFileSystem } from "./node-file-system.ts";
import { ServedTypes } from "./served-types.ts";
import { terminalLog } from "./terminal-log.ts";

export async function composeInstall(
  argv: readonly string[],
  context: CommandContext,
  version: string,
): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    context.out(installHelp);
    return exitDone;
  }
  const options = parseInstallOptions(argv, { cwd: context.cwd, version });
  if (options.check) return await check(options, context);
  await printInstallation(options.values, {
    out: context.out,
    version,
    readDeployFile: (name) => readFile(new URL(`../../deploy/${name}`, import.meta.url), "utf8"),
  });
  return exitDone;
}

async function check({ values, kubeconfig }: InstallOptions, { cwd, out, signal }: CommandContext): Promise<number> {
  await using meter = createPrometheusMeter();
  await using api = await connectApiServer({
    kubeconfig: kubeconfig ?? usualKubeconfig(cwd),
    clock: nodeClock,
    files: createNodeFileSystem(),
    meter,
    log: terminalLog({ level: "warn", format: "auto" }),
  });
  const served = async () => new ServedTypes().read(await new Discovery(api).read(signal));
  return await checkInstallation(values, {
    inquiry: inquiryOf(api, signal),
    served,
    nowMs: () => nodeClock.nowMs(),
    out,
  });
}

/** Where kubectl looks; null: in a pod. */
function usualKubeconfig(cwd: string): string | null {
  const [named = ""] = (process.env["KUBECONFIG"] ?? "").split(delimiter);
  if (named !== "") return resolve(cwd, named);
  const usual = `${homedir()}/.kube/config`;
  return existsSync(usual) ? usual : null;
}
