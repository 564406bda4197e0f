/** Tests of what this machine does not have, or not allow: they are left out, and say so. */

import { findVersionBefore } from "../e2e/older-checkout.ts";
import { findDulwich, findPrometheus, findSshd } from "./servers.ts";
import { findMount } from "../composition/small-disk.ts";
import { findStrace } from "./strace.ts";

const installs = '"npm run remotes" installs it, or says what to do';
const needs = [
  { file: "test/e2e/remote-ssh.test.ts", what: "sshd", found: findSshd(), how: installs },
  { file: "test/e2e/remote-dulwich.test.ts", what: "dulwich", found: findDulwich(), how: installs },
  { file: "test/git/traced-flush.test.ts", what: "strace that may trace", found: findStrace(), how: installs },
  { file: "test/telemetry/alert-times.test.ts", what: "promtool", found: findPrometheus("promtool"), how: installs },
  { file: "test/e2e/dashboards.test.ts", what: "prometheus", found: findPrometheus(), how: installs },
  {
    file: "test/composition/disks.test.ts",
    what: "right to mount a file system",
    found: findMount(),
    how: "be root, in a container with CAP_SYS_ADMIN",
  },
  {
    file: "test/e2e/upgrade.test.ts",
    what: "version before this one in the history of this clone",
    found: findVersionBefore(),
    how: '"git fetch --unshallow" gets it',
  },
];

export function leftOutTests(): string[] {
  const missing = needs.filter(({ found }) => found === null);
  for (const { file, what, how } of missing) console.warn(`${file} is left out: there is no ${what}; ${how}`);
  return missing.map(({ file }) => file);
}
