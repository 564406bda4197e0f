/**
 * `npm run remotes`: installs what is missing of the servers that remotes are tested against. dulwich comes from PyPI into the
 * cache that servers.ts names; OpenSSH's server is a package of the system.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

import { dulwichEnvironment, dulwichVersion, findDulwich, findSshd } from "./servers.ts";

installSshd();
installDulwich();
console.log(`The remotes' servers are there: ${findSshd()}, ${findDulwich()}`);

function installSshd(): void {
  if (findSshd() !== null) return;
  const canInstall = process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
  if (!canInstall) {
    fail(
      "sshd is needed, and only root can install it here: install your system's OpenSSH server (Debian: apt-get install openssh-server).",
    );
  }
  console.log("installing openssh-server");
  // RUNLEVEL: the package would start a server of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const install = ["install", "-y", "-qq", "--no-install-recommends", "openssh-server"];
  if (spawnSync("apt-get", install, { env, stdio: ["ignore", "ignore", "ignore"] }).status !== 0) {
    run("apt-get", ["update", "-qq"], env);
    run("apt-get", install, env);
  }
  if (findSshd() === null) fail("openssh-server was installed, and /usr/sbin/sshd is not there.");
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
