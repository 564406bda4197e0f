/** The version before, taken whole from the repository's own history. Owns the directory that it lies in. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * The commit that an installation is upgraded from, and rolled back to: the first one that lets its knowledge leave before it ends, and waits
 * for a remote that is slow, so that every author can be asked for. KUBESCRIBE_UPGRADE_FROM names another one.
 */
const versionBefore = process.env["KUBESCRIBE_UPGRADE_FROM"] ?? "d63f4d7433f3006fc634020c3930c7ea66b67d48";

/** In its types, and not in those of today: so that there is something to upgrade, whatever else has changed. */
const files = ["src/manifests/custom-resources.ts", "deploy/chart/templates/custom-resources.yaml"];
const [wordsNow, wordsBefore] = ["Whether all that it names is watched.", "Whether what it names is watched."];

const root = join(import.meta.dirname, "../..");
const maxArchiveBytes = 256 * 1024 * 1024;

/** Null where the history does not reach back to it: a shallow clone, or no repository at all. */
export function findVersionBefore(): string | null {
  const { status } = spawnSync("git", ["-C", root, "cat-file", "-e", `${versionBefore}^{commit}`], { stdio: "ignore" });
  return status === 0 ? versionBefore : null;
}

export class OlderCheckout implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "kubescribe-before-"));

  /** With the packages of its own lock file. */
  constructor() {
    const archive = execFileSync("git", ["-C", root, "archive", "--format=tar", versionBefore], {
      maxBuffer: maxArchiveBytes,
    });
    execFileSync("tar", ["-x", "-C", this.directory], { input: archive });
    for (const file of files) {
      const text = readFileSync(join(this.directory, file), "utf8");
      if (!text.includes(wordsNow)) throw new Error(`${file} of ${versionBefore} does not say "${wordsNow}".`);
      writeFileSync(join(this.directory, file), text.replaceAll(wordsNow, wordsBefore));
    }
    if (packagesOf(root) === packagesOf(this.directory))
      symlinkSync(join(root, "node_modules"), join(this.directory, "node_modules"));
    else execFileSync(process.execPath, [join(this.directory, ".ci/install.mjs")], { stdio: "inherit" });
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** What a lock file installs: not what the checkout itself is called, or which command it has. */
function packagesOf(directory: string): string {
  const { packages } = JSON.parse(readFileSync(join(directory, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, object>>;
  };
  return JSON.stringify(Object.entries(packages).filter(([path]) => path !== ""));
}
