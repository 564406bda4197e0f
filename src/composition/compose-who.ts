/** `kubescribe who` with the git binary, Node's files and this terminal. */

import { homedir } from "node:os";
import type { CommandContext } from "../commands/command-line.ts";
import { exitDone } from "../commands/command-line.ts";
import { painterOf } from "../commands/demo-terminal.ts";
import { who, whoHelp } from "../commands/who.ts";
import { parseWhoOptions } from "../commands/who-options.ts";
import { isoTime, localTime } from "../commands/who-time.ts";
import { openClone } from "../git/clone/clone.ts";
import { loadIndex } from "../git/clone/index-file.ts";
import { createNodeFileSystem } from "./node-file-system.ts";
import { nodeGit } from "./node-git.ts";

export async function composeWho(argv: readonly string[], context: CommandContext): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    context.out(whoHelp);
    return exitDone;
  }
  const options = parseWhoOptions(argv, context.cwd);
  const { directory, branch } = options;
  const files = createNodeFileSystem();
  const clone = await openClone({ git: nodeGit(directory), files, directory, branch });
  const index = await loadIndex(clone, { files, directory: cacheDirectory(), unique: String(process.pid) });
  const terminal = process.stdout.isTTY;
  const colour = terminal && (process.env["NO_COLOR"] ?? "") === "";
  const view = { paint: painterOf({ colour }), timeText: terminal ? localTime : isoTime };
  return await who(options, { clone, index, out: context.out, view });
}

/** Where the XDG specification wants it; a relative path is to be ignored. */
function cacheDirectory(): string {
  const given = process.env["XDG_CACHE_HOME"] ?? "";
  return `${given.startsWith("/") ? given : `${homedir()}/.cache`}/kubescribe/who`;
}
