/** Tests of programs that this machine does not have, and cannot be made to have: they are left out, and say so. */

import { findDulwich, findSshd } from "./servers.ts";
import { findStrace } from "./strace.ts";

const needs = [
  { file: "test/e2e/remote-ssh.test.ts", program: "sshd", found: findSshd() },
  { file: "test/e2e/remote-dulwich.test.ts", program: "dulwich", found: findDulwich() },
  { file: "test/git/traced-flush.test.ts", program: "strace that may trace", found: findStrace() },
];

export function leftOutTests(): string[] {
  const missing = needs.filter(({ found }) => found === null);
  for (const { file, program } of missing)
    console.warn(`${file} is left out: there is no ${program}; "npm run remotes" installs it, or says what to do`);
  return missing.map(({ file }) => file);
}
