/**
 * `npm run controlplane`: builds what is missing of the control plane, sops and helm, from Go modules (K46) into the cache that
 * binaries.ts names.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type BinaryName,
  etcdVersion,
  findBinaries,
  findTool,
  helmVersion,
  kubernetesVersion,
  sopsVersion,
  type Tool,
} from "./binaries.ts";
import { assertGo, buildProgram, fail, go, report, writeModule } from "./go-build.ts";

const kubernetesPrograms = ["kube-apiserver", "kubectl", "kube-controller-manager"] as const;

await buildControlPlane();
await buildTool("sops", { module: "github.com/getsops/sops/v3", version: sopsVersion, flags: "-s -w" });
await buildTool("helm", {
  module: "helm.sh/helm/v3",
  version: helmVersion,
  flags: `-s -w -X helm.sh/helm/v3/internal/version.version=v${helmVersion}`,
});

async function buildControlPlane(): Promise<void> {
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
  assertGo("the control plane", " Or set KUBEBUILDER_ASSETS.");
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

async function buildTool(
  name: Tool,
  from: { readonly module: string; readonly version: string; readonly flags: string },
): Promise<void> {
  const { directory, missing } = findTool(name);
  if (!missing) {
    console.log(`${name} is there: ${directory}`);
    return;
  }
  assertGo(name, "");
  mkdirSync(directory, { recursive: true });
  const module = mkdtempSync(join(tmpdir(), `kubescribe-${name}-`));
  try {
    const program = `${from.module}/cmd/${name}`;
    writeModule(module, { requires: `${from.module} v${from.version}`, programs: [program] });
    await go(module, ["mod", "tidy"]);
    await buildProgram({ module, program, name, directory, flags: from.flags });
  } finally {
    rmSync(module, { recursive: true, force: true });
  }
  report("done");
}

async function buildEtcd(work: string, directory: string): Promise<void> {
  const module = join(work, "etcd");
  const program = "go.etcd.io/etcd/server/v3";
  writeModule(module, { requires: `${program} v${etcdVersion}`, programs: [program] });
  await go(module, ["mod", "tidy"]);
  await buildProgram({ module, program, name: "etcd", directory, flags: "-s -w" });
}

async function buildKubernetes(work: string, directory: string, missing: readonly BinaryName[]): Promise<void> {
  const names = kubernetesPrograms.filter((name) => missing.includes(name));
  if (names.length === 0) return;
  const module = join(work, "kubernetes");
  const requires = `k8s.io/kubernetes v${kubernetesVersion}`;
  const programs = kubernetesPrograms.map((name) => `k8s.io/kubernetes/cmd/${name}`);
  writeModule(module, { requires, programs });
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
