/** The files of a demo: what `run` would be given. */

import type { FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { SelfMadeCertificate } from "../simulator/certificate.ts";
import { kubeconfigOf } from "../simulator/kubeconfig.ts";
import { KUBESCRIBE, tokenOf } from "./demo-people.ts";

/** Absolute paths. */
export interface DemoPlace {
  readonly directory: string;
  readonly gitDirectory: string;
  readonly rulesFile: string;
  readonly kubeconfigFile: string;
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
  readonly dataDirectory: string;
}

export function placeAt(directory: string): DemoPlace {
  return {
    directory,
    gitDirectory: `${directory}/history.git`,
    rulesFile: `${directory}/rules.yaml`,
    kubeconfigFile: `${directory}/kubeconfig.json`,
    tlsCertFile: `${directory}/webhook.crt`,
    tlsKeyFile: `${directory}/webhook.key`,
    dataDirectory: `${directory}/data`,
  };
}

export interface PlaceContents {
  readonly serverUrl: string;
  readonly serverCertificate: SelfMadeCertificate;
  readonly webhookCertificate: SelfMadeCertificate;
}

export async function writePlace(fileSystem: FileSystem, place: DemoPlace, contents: PlaceContents): Promise<void> {
  const kubeconfig = kubeconfigOf({
    serverUrl: contents.serverUrl,
    caBundlePem: contents.serverCertificate.certificatePem,
    token: tokenOf(KUBESCRIBE),
  });
  await makePlace(fileSystem, place);
  await refuseUsed(fileSystem, place);
  await fileSystem.makeDirectory(place.dataDirectory);
  await writeText(fileSystem, place.rulesFile, rulesOf(place));
  await writeText(fileSystem, place.kubeconfigFile, kubeconfig);
  await writeText(fileSystem, place.tlsCertFile, contents.webhookCertificate.certificatePem);
  await writeText(fileSystem, place.tlsKeyFile, contents.webhookCertificate.keyPem);
}

async function makePlace(fileSystem: FileSystem, { directory }: DemoPlace): Promise<void> {
  try {
    await fileSystem.makeDirectory(directory);
  } catch (error) {
    const found = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new KubescribeError(
      "demo-directory-unusable",
      `expected a directory that can be made at ${directory}, found ${found}: name another --directory`,
      { retry: "never", cause: error },
    );
  }
}

/** Every demo is a cluster of its own: its history cannot go on in an older one's place. */
async function refuseUsed(fileSystem: FileSystem, { directory }: DemoPlace): Promise<void> {
  const names = await fileSystem.list(directory);
  if (names.length === 0) return;
  throw new KubescribeError(
    "demo-directory-not-empty",
    `expected ${directory} to be empty or absent, found ${names.length} entries in it: name another --directory, or empty this one`,
    { retry: "never" },
  );
}

async function writeText(fileSystem: FileSystem, path: string, text: string): Promise<void> {
  await using file = await fileSystem.open(path, "create");
  await file.write(new TextEncoder().encode(text));
}

function rulesOf({ gitDirectory }: DemoPlace): string {
  return `# What \`kubescribe run --config\` reads: where the history goes, and what it is a history of.
apiVersion: kubescribe.dev/v1alpha1
kind: GitRepoConfig
metadata: {name: history, namespace: default}
spec:
  url: ${JSON.stringify(`file://${encodeURI(gitDirectory)}`)}
  branch: main
  path: demo
---
apiVersion: kubescribe.dev/v1alpha1
kind: ClusterWatchRule
metadata: {name: everything}
spec:
  repo: {name: history, namespace: default}
  rules:
  - {apiGroups: [""], apiVersions: ["v1"], resources: [configmaps, secrets, services], operations: [CREATE, UPDATE, DELETE]}
  - {apiGroups: [apps], apiVersions: ["v1"], resources: [deployments], operations: [CREATE, UPDATE, DELETE]}
  - {apiGroups: [example.com], apiVersions: ["v1"], resources: [widgets], operations: [CREATE, UPDATE, DELETE]}
`;
}
