/**
 * `npm run controlplane`: builds what is missing of the control plane, sops and helm, from Go modules (K46) into the cache that
 * binaries.ts names. `-- --server 1.34` builds an older kube-apiserver beside it, with the controllers and kubectl of its version.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import {
  type BinaryName,
  etcdVersion,
  findBinaries,
  findTool,
  helmVersion,
  type KubernetesMinor,
  kubernetesPrograms,
  kubernetesVersions,
  minorOf,
  newestKubernetes,
  sopsVersion,
  type Tool,
} from "./binaries.ts";
import { assertGo, buildProgram, fail, go, report, writeModule } from "./go-build.ts";

const { values } = parseArgs({ options: { server: { type: "string", multiple: true, default: [] } } });
const minors = new Set([newestKubernetes, ...values.server.map((word) => minorOf(word, "--server"))]);

for (const minor of minors) await buildControlPlane(minor);
await buildTool("sops", { module: "github.com/getsops/sops/v3", version: sopsVersion, flags: "-s -w" });
await buildTool("helm", {
  module: "helm.sh/helm/v3",
  version: helmVersion,
  flags: `-s -w -X helm.sh/helm/v3/internal/version.version=v${helmVersion}`,
});

async function buildControlPlane(minor: KubernetesMinor): Promise<void> {
  const { directory, given, missing } = findBinaries(minor);
  if (missing.length === 0) {
    console.log(`The control plane ${minor} is there: ${directory}`);
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
    await buildKubernetes(minor, { work, directory, missing });
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

async function buildKubernetes(
  minor: KubernetesMinor,
  to: { readonly work: string; readonly directory: string; readonly missing: readonly BinaryName[] },
): Promise<void> {
  const { work, directory, missing } = to;
  const version = kubernetesVersions[minor];
  const names = kubernetesPrograms.filter((name) => missing.includes(name));
  if (names.length === 0) return;
  const module = join(work, "kubernetes");
  const requires = `k8s.io/kubernetes v${version}`;
  const programs = kubernetesPrograms.map((name) => `k8s.io/kubernetes/cmd/${name}`);
  writeModule(module, { requires, programs });
  const download = await go(module, ["mod", "download", "-json", `k8s.io/kubernetes@v${version}`]);
  const { GoMod } = JSON.parse(download) as { readonly GoMod: string };
  writeModule(module, { requires, replaces: stagingReplaces(readFileSync(GoMod, "utf8"), version), programs });
  report("resolving the modules of Kubernetes");
  await go(module, ["mod", "tidy"]);
  const flags = `-s -w -X k8s.io/component-base/version.gitVersion=v${version}`;
  for (const name of names)
    await buildProgram({ module, program: `k8s.io/kubernetes/cmd/${name}`, name, directory, flags });
}

/** The staging modules stand in go.mod at exactly v0.0.0; they are published as v0.36.3 for Kubernetes 1.36.3. */
function stagingReplaces(goMod: string, version: string): readonly string[] {
  const published = version.replace(/^1\./, "v0.");
  const modules = new Set([...goMod.matchAll(/^\s+(k8s\.io\/[a-z-]+) v0\.0\.0$/gm)].map(([, path]) => path));
  return [...modules].map((path) => `replace ${path} => ${path} ${published}`);
}
