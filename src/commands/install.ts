/** `kubescribe install`: prints what `kubectl apply` makes an installation of. */

import { parse } from "yaml";
import { KubescribeError } from "../../machines/error.ts";
import { optionHelp } from "../config/help.ts";
import { installOptionTable } from "../config/install-option-table.ts";
import type { Plain } from "../manifests/fill.ts";
import type { InstallValues } from "../manifests/install-values.ts";
import { manifestText } from "../manifests/manifest-text.ts";
import type { FileName } from "../manifests/template.ts";

export const installHelp = `Usage: kubescribe install [OPTIONS] [-- OPTIONS OF run]
       kubescribe install --check [--kubeconfig FILE] [--namespace NAME]

Prints the YAML of everything that kubescribe needs in a cluster, for kubectl. It talks to no cluster. Applying it
again changes nothing; applying what another version prints is how to upgrade, and to roll back. docs/INSTALL.md
has the chart for Helm, which makes the same objects.

Three commands to a history:
  kubescribe install --image registry.example.com/kubescribe:1.0 --watch apps/deployments,configmaps | kubectl apply -f -
  kubectl apply -f rules.yaml        (a GitRepoConfig and a ClusterWatchRule: docs/CONFIGURATION.md)
  kubescribe install --check

More examples:
  kubescribe install --replicas 2 --service-monitor --prometheus-rule | kubectl apply --server-side -f -
  kubescribe install --storage pvc --storage-size 20Gi -- --log-level=debug
  kubescribe install ... | kubectl delete --ignore-not-found -f -        (the options as installed; all rules go, what is in Git stays)

${optionHelp(installOptionTable)}

  --help                          this text
  --version                       the version

To let it watch another type later, make a ClusterRole with the label that the printed one names; --check prints it.

Exit codes: 0 done, 1 the cluster lacks something (or cannot be asked), 2 wrong usage or configuration.
`;

export interface InstallPorts {
  readonly out: (text: string) => void;
  readonly version: string;
  /** Text of a file of deploy/; rejects where it is not there. */
  readonly readDeployFile: (name: FileName) => Promise<string>;
}

export async function printInstallation(values: InstallValues, ports: InstallPorts): Promise<void> {
  const files = new Map<FileName, Plain>();
  if (values.prometheusRule) files.set("alerts.yaml", parse(await deployFile("alerts.yaml", ports)) as Plain);
  if (values.dashboard) files.set("dashboard.json", await deployFile("dashboard.json", ports));
  const heading = `kubescribe ${ports.version}. To install, to upgrade and to roll back: kubescribe install ... | kubectl apply -f -`;
  ports.out(manifestText({ values, file: (name) => files.get(name) ?? null }, heading));
}

async function deployFile(name: FileName, { readDeployFile }: InstallPorts): Promise<string> {
  try {
    return await readDeployFile(name);
  } catch (cause) {
    throw new KubescribeError(
      "deploy-file-missing",
      `expected deploy/${name} beside this program's source, found none: install kubescribe whole, or leave the option out`,
      { retry: "never", cause },
    );
  }
}
