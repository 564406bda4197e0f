/** Tests of servers that this machine does not have, and cannot be made to have: they are left out, and say so. */

import { findDulwich, findSshd } from "./servers.ts";

const needs = [
  { file: "test/e2e/remote-ssh.test.ts", server: "sshd", found: findSshd() },
  { file: "test/e2e/remote-dulwich.test.ts", server: "dulwich", found: findDulwich() },
];

export function leftOutTests(): string[] {
  const missing = needs.filter(({ found }) => found === null);
  for (const { file, server } of missing)
    console.warn(`${file} is left out: there is no ${server}; "npm run remotes" installs it, or says what to do`);
  return missing.map(({ file }) => file);
}
