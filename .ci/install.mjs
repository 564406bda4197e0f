/**
 * Installs what is missing, before any other script runs. Plain JavaScript: whatever Node started npm must be able to
 * run it. npm's own record of what it installed is the stamp, so a checkout, a copy or `npm install NAME` never causes a
 * needless reinstall. The Node that the project runs on is one of the packages: npm puts node_modules/.bin first on the
 * PATH of the script that follows this one.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oldestNodeMajor = 26;

if (!installed()) {
  process.stderr.write("Installing dependencies (once; about a minute) ...\n");
  install();
}
linkNode();
if (!nodeBrought() && Number(process.versions.node.split(".")[0]) < oldestNodeMajor) {
  fail(
    `No Node ${oldestNodeMajor} for ${process.platform}-${process.arch}: npm brings one for Linux (x64, arm64) and macOS (arm64) as an ` +
      `optional dependency, and this is Node ${process.versions.node}. Install Node ${oldestNodeMajor} or newer, or run npm without --omit=optional.`,
  );
}

/** Whether every package of the lock file that this machine needs is there in the locked version. */
function installed() {
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  try {
    const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
    const present = JSON.parse(readFileSync(record, "utf8")).packages;
    return Object.entries(wanted).every(
      ([path, entry]) => path === "" || entry.optional || entry.devOptional || present[path]?.version === entry.version,
    );
  } catch {
    return false;
  }
}

function install() {
  // The npm that runs this script, on the Node that runs that npm: not one below node_modules, which is about to be replaced.
  const [command, first] =
    process.env.npm_execpath && process.env.npm_node_execpath
      ? [process.env.npm_node_execpath, [process.env.npm_execpath]]
      : ["npm", []];
  // Not `npm ci`: it refuses a lock file that lacks the optional binaries of other platforms, which npm leaves out wherever
  // the registry at hand does not carry them. The locked versions are installed all the same, and nothing is written back.
  const args = [...first, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (result.error) {
    fail(`Could not start npm (${result.error.message}). Run "npm install --no-save --ignore-scripts" by hand.`);
  }
  if (result.status !== 0) {
    fail(
      `"npm install --no-save --ignore-scripts" failed (${result.signal ?? `exit ${result.status}`}); its message is above. Is the registry reachable ` +
        "(npm ping), the disk full, or package-lock.json changed by hand? Mend that and run the same command again.",
    );
  }
}

/** The Nodes of all platforms share one name in node_modules/.bin; npm 10 takes it away with those it does not install. */
function linkNode() {
  const names = [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`];
  const name = names.find((candidate) => existsSync(join(root, "node_modules", candidate, "bin", "node")));
  if (name !== undefined && !nodeBrought()) {
    symlinkSync(join("..", name, "bin", "node"), join(root, "node_modules", ".bin", "node"));
  }
}

function nodeBrought() {
  return existsSync(join(root, "node_modules", ".bin", "node"));
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
