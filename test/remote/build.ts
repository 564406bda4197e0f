/**
 * `npm run remotes`: installs what is missing of the servers that remotes are tested against, strace, which counts what is asked of
 * files, and Prometheus. dulwich comes from PyPI into the cache that servers.ts names, the others are packages of the system.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

import { findStrace } from "./strace.ts";
import { dulwichEnvironment, dulwichVersion, findDulwich, findPrometheus, findSshd } from "./servers.ts";

installPackage({ name: "openssh-server", program: "sshd", find: findSshd });
installDulwich();
installPackage({ name: "strace", program: "strace that may trace", find: findStrace });
installPackage({ name: "prometheus", program: "prometheus", find: () => findPrometheus() });
const found = [findSshd(), findDulwich(), findStrace(), findPrometheus()];
console.log(`What the tests of remotes, files and metrics need is there: ${found.join(", ")}`);

interface SystemPackage {
  readonly name: string;
  readonly program: string;
  readonly find: () => string | null;
}

function installPackage({ name, program, find }: SystemPackage): void {
  if (find() !== null) return;
  const canInstall = process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
  if (!canInstall)
    fail(`${program} is needed, and only root can install it here: install it (Debian: apt-get install ${name}).`);
  console.log(`installing ${name}`);
  // RUNLEVEL: the package would start a server of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const install = ["install", "-y", "-qq", "--no-install-recommends", name];
  if (spawnSync("apt-get", install, { env, stdio: ["ignore", "ignore", "ignore"] }).status !== 0) {
    run("apt-get", ["update", "-qq"], env);
    run("apt-get", install, env);
  }
  if (find() === null) fail(`${name} was installed, and there is no ${program}.`);
}

function installDulwich(): void {
  if (findDulwich() !== null) return;
  const directory = dulwichEnvironment();
  console.log(`installing dulwich ${dulwichVersion} into ${directory}`);
  mkdirSync(dirname(directory), { recursive: true });
  rmSync(directory, { recursive: true, force: true });
  // Its scripts name their place, so it cannot be made beside that and renamed; its last script is what findDulwich looks for.
  run("python3", ["-m", "venv", directory]);
  run(join(directory, "bin", "pip"), ["install", "-q", "--disable-pip-version-check", `dulwich==${dulwichVersion}`]);
}

function run(command: string, args: readonly string[], env = process.env): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { env, encoding: "utf8" });
  if (error !== undefined) fail(`${command} did not start: ${error.message}`);
  if (status !== 0) fail(`${stdout}${stderr}\n"${command} ${args.join(" ")}" ended with ${status}`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
