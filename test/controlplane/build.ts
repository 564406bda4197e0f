/**
 * `npm run controlplane`: builds what is missing of the control plane from Go modules (K46) into the cache that binaries.ts
 * names. Each binary is built beside its place and renamed into it: one that is there is whole.
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type BinaryName, etcdVersion, findBinaries, kubernetesVersion } from "./binaries.ts";

const kubernetesPrograms = ["kube-apiserver", "kubectl", "kube-controller-manager"] as const;
const goMinor = 26;
const startMs = performance.now();

await main();

async function main(): Promise<void> {
  const { directory, given, missing } = findBinaries();
  if (missing.length === 0) {
    console.log(`The control plane is there: ${directory}`);
    return;
  }
  if (given) {
    fail(
      `KUBEBUILDER_ASSETS (${directory}) has no ${missing.join(", ")}: put it there, or unset the variable to have all of them built.`,
    );
  }
  assertGo();
  mkdirSync(directory, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), "kubescribe-controlplane-"));
  try {
    report(`building ${missing.join(", ")} into ${directory} (about 8 minutes for all of it on 2 cores)`);
    if (missing.includes("etcd")) await buildEtcd(work, directory);
    await buildKubernetes(work, directory, missing);
  } finally {
    // The module cache is read-only, this directory is not: nothing but go.mod, go.sum and tools.go.
    rmSync(work, { recursive: true, force: true });
  }
  report("done");
}

async function buildEtcd(work: string, directory: string): Promise<void> {
  const module = join(work, "etcd");
  const program = "go.etcd.io/etcd/server/v3";
  writeModule(module, { requires: `${program} v${etcdVersion}`, replaces: [], programs: [program] });
  await go(module, ["mod", "tidy"]);
  await buildProgram({ module, program, name: "etcd", directory, flags: "-s -w" });
}

async function buildKubernetes(work: string, directory: string, missing: readonly BinaryName[]): Promise<void> {
  const names = kubernetesPrograms.filter((name) => missing.includes(name));
  if (names.length === 0) return;
  const module = join(work, "kubernetes");
  const requires = `k8s.io/kubernetes v${kubernetesVersion}`;
  const programs = kubernetesPrograms.map((name) => `k8s.io/kubernetes/cmd/${name}`);
  writeModule(module, { requires, replaces: [], programs });
  const download = await go(module, ["mod", "download", "-json", `k8s.io/kubernetes@v${kubernetesVersion}`]);
  const { GoMod } = JSON.parse(download) as { readonly GoMod: string };
  writeModule(module, { requires, replaces: stagingReplaces(readFileSync(GoMod, "utf8")), programs });
  report("resolving the modules of Kubernetes");
  await go(module, ["mod", "tidy"]);
  const flags = `-s -w -X k8s.io/component-base/version.gitVersion=v${kubernetesVersion}`;
  for (const name of names)
    await buildProgram({ module, program: `k8s.io/kubernetes/cmd/${name}`, name, directory, flags });
}

/** The staging modules stand in go.mod at exactly v0.0.0; they are published as v0.36.3 for Kubernetes 1.36.3. */
function stagingReplaces(goMod: string): readonly string[] {
  const version = kubernetesVersion.replace(/^1\./, "v0.");
  const modules = new Set([...goMod.matchAll(/^\s+(k8s\.io\/[a-z-]+) v0\.0\.0$/gm)].map(([, path]) => path));
  return [...modules].map((path) => `replace ${path} => ${path} ${version}`);
}

async function buildProgram(build: {
  readonly module: string;
  readonly program: string;
  readonly name: BinaryName;
  readonly directory: string;
  readonly flags: string;
}): Promise<void> {
  report(`building ${build.name}`);
  const beside = join(build.directory, `.${build.name}.${process.pid}`);
  try {
    await go(build.module, ["build", "-ldflags", build.flags, "-o", beside, build.program]);
    renameSync(beside, join(build.directory, build.name));
  } finally {
    rmSync(beside, { force: true });
  }
}

function writeModule(
  directory: string,
  {
    requires,
    replaces,
    programs,
  }: { readonly requires: string; readonly replaces: readonly string[]; readonly programs: readonly string[] },
): void {
  mkdirSync(directory, { recursive: true });
  const head = `module example.invalid/controlplane\n\ngo 1.${goMinor}\n\nrequire ${requires}\n\n`;
  writeFileSync(join(directory, "go.mod"), `${head}${replaces.join("\n")}\n`);
  const imports = programs.map((program) => `import _ "${program}"\n`).join("");
  writeFileSync(join(directory, "tools.go"), `//go:build tools\n\npackage tools\n\n${imports}`);
}

/** Answers with its standard output; ends the process, with Go's own message above, when it fails. */
function go(directory: string, args: readonly string[]): Promise<string> {
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

function assertGo(): void {
  const { error, stdout } = spawnSync("go", ["env", "GOVERSION"], { encoding: "utf8" });
  if (error)
    fail(
      `Go 1.${goMinor} or newer is needed to build the control plane, and "go" is not on PATH. Or set KUBEBUILDER_ASSETS.`,
    );
  const minor = Number(/^go1\.(\d+)/.exec(stdout)?.[1] ?? 0);
  // From 1.21 on, Go fetches the toolchain that go.mod asks for.
  if (minor < 21) fail(`Go 1.${goMinor} or newer is needed to build the control plane; this is ${stdout.trim()}.`);
}

function report(what: string): void {
  const seconds = Math.round((performance.now() - startMs) / 1000);
  console.log(`[${String(seconds).padStart(4)} s] ${what}`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
