/** Builds programs of Go modules, each beside its place and renamed into it: one that is there is whole. */

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const goMinor = 26;
const startMs = performance.now();

export interface GoProgram {
  /** Directory of the module that requires it. */
  readonly module: string;
  readonly program: string;
  readonly name: string;
  readonly directory: string;
  readonly flags: string;
}

export async function buildProgram(build: GoProgram): Promise<void> {
  report(`building ${build.name}`);
  const beside = join(build.directory, `.${build.name}.${process.pid}`);
  try {
    await go(build.module, ["build", "-ldflags", build.flags, "-o", beside, build.program]);
    renameSync(beside, join(build.directory, build.name));
  } finally {
    rmSync(beside, { force: true });
  }
}

export function writeModule(
  directory: string,
  {
    requires,
    replaces = [],
    programs,
  }: { readonly requires: string; readonly replaces?: readonly string[]; readonly programs: readonly string[] },
): void {
  mkdirSync(directory, { recursive: true });
  const head = `module example.invalid/controlplane\n\ngo 1.${goMinor}\n\nrequire ${requires}\n\n`;
  writeFileSync(join(directory, "go.mod"), `${head}${replaces.join("\n")}\n`);
  const imports = programs.map((program) => `import _ "${program}"\n`).join("");
  writeFileSync(join(directory, "tools.go"), `//go:build tools\n\npackage tools\n\n${imports}`);
}

/** Answers with its standard output; ends the process, with Go's own message above, when it fails. */
export function go(directory: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    // A go.work above the temporary directory must not take part.
    const env = {
      ...process.env,
      GOWORK: "off",
      GOFLAGS: `-mod=mod ${process.env["GOFLAGS"] ?? ""}`.trim(),
    };
    const child = spawn("go", args, { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let complaints = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
    child.once("close", (code) => {
      if (code === 0) resolve(output);
      else
        fail(
          `${complaints.slice(-4000)}\n"go ${args.join(" ")}" ended with ${code}. Is the Go module proxy reachable, and the disk not full?`,
        );
    });
  });
}

/** `advice`: what helps instead. */
export function assertGo(what: string, advice: string): void {
  const { error, stdout } = spawnSync("go", ["env", "GOVERSION"], { encoding: "utf8" });
  if (error) fail(`Go 1.${goMinor} or newer is needed to build ${what}, and "go" is not on PATH.${advice}`);
  const minor = Number(/^go1\.(\d+)/.exec(stdout)?.[1] ?? 0);
  // From 1.21 on, Go fetches the toolchain that go.mod asks for.
  if (minor < 21) fail(`Go 1.${goMinor} or newer is needed to build ${what}; this is ${stdout.trim()}.`);
}

export function report(what: string): void {
  const seconds = Math.round((performance.now() - startMs) / 1000);
  console.log(`[${String(seconds).padStart(4)} s] ${what}`);
}

export function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
