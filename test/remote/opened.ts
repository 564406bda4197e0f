/** A remote as a test opens it: Node's files and clock, nothing of the environment. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { nodeClock } from "../../src/composition/node-clock.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { openRemote, type RemoteOptions } from "../../src/remote/open-remote.ts";
import type { Remote } from "../../src/remote/remote.ts";

/** Ends with the test's own time limit. */
export const patient = new AbortController().signal;

export function opened(url: string, options: Partial<RemoteOptions> = {}): Remote {
  const fs = createNodeFileSystem();
  return openRemote({ url, credentialsDirectory: null, fs, clock: nodeClock, environment: {}, ...options });
}

/** A directory as a Secret is mounted. */
export function secretAt(path: string, files: Readonly<Record<string, string>>): string {
  mkdirSync(path, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text, { mode: 0o600 });
  return path;
}
