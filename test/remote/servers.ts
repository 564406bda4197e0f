/**
 * Where the servers are that nobody here wrote: OpenSSH's and Prometheus of the system, dulwich in a cache outside the checkout, keyed by
 * version.
 */

import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export const dulwichVersion = "1.2.21";

/** sshd wants to be called by its whole path, which is not on everybody's PATH. */
export function findSshd(): string | null {
  return ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].find(isExecutable) ?? null;
}

/** Prometheus itself, or promtool, which comes with it. */
export function findPrometheus(program: "prometheus" | "promtool" = "prometheus"): string | null {
  return [`/usr/bin/${program}`, `/usr/local/bin/${program}`].find(isExecutable) ?? null;
}

export function dulwichEnvironment(): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? "";
  const base = cache === "" ? join(homedir(), ".cache") : cache;
  return join(base, "kubescribe", "remotes", `dulwich-${dulwichVersion}`);
}

/** The Python that has dulwich, or null. */
export function findDulwich(): string | null {
  const python = join(dulwichEnvironment(), "bin", "python");
  return isExecutable(python) && isExecutable(join(dulwichEnvironment(), "bin", "dulwich")) ? python : null;
}

export function required(found: string | null, name: string): string {
  if (found === null) throw new Error(`${name} is not installed: "npm run remotes" installs it, or says what to do.`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
