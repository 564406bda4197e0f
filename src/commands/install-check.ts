/** `kubescribe install --check`: what a cluster lacks, asked and not guessed. */

import type { ResourceType } from "../../machines/messages.ts";
import { manifests } from "../manifests/manifest-text.ts";
import type { InstallValues } from "../manifests/install-values.ts";
import { checkCertificate } from "./check-certificate.ts";
import { checkDefinitions, checkProcess, checkServer } from "./check-installation.ts";
import {
  checkBaseRights,
  checkGitSecret,
  checkGitSecretIsThere,
  checkInstaller,
  checkWatchRights,
} from "./check-rights.ts";
import { checkRules } from "./check-rules.ts";
import { checkOperators, checkStorage } from "./check-surroundings.ts";
import { checkConfiguration } from "./check-webhook.ts";
import type { Inquiry } from "./cluster-inquiry.ts";
import { exitDone, exitFailed } from "./command-line.ts";
import type { Finding } from "./finding.ts";
import { findingsText } from "./finding.ts";

export interface CheckPorts {
  readonly inquiry: Inquiry;
  /** Every version of every type that the cluster serves, preferred first. */
  readonly served: () => Promise<readonly ResourceType[]>;
  readonly nowMs: () => number;
  readonly out: (text: string) => void;
}

/** Resolves to the exit code. Throws `cluster-unreachable`. */
export async function checkInstallation(values: InstallValues, ports: CheckPorts): Promise<number> {
  const findings = await findingsOf(values, ports);
  ports.out(findingsText(findings));
  return findings.some(({ state }) => state === "lacks") ? exitFailed : exitDone;
}

async function findingsOf(values: InstallValues, { inquiry, served, nowMs }: CheckPorts): Promise<readonly Finding[]> {
  const { namespace } = values;
  const { finding: server, answers } = await checkServer(inquiry);
  if (!answers) return [server];
  const definitions = manifests({ values, file: () => null }).filter(({ kind }) => kind === "CustomResourceDefinition");
  const types = await served();
  const rules = await checkRules(inquiry, types);
  const findings = [
    server,
    await checkInstaller(inquiry, namespace),
    ...checkOperators(values, types),
    ...(await checkStorage(inquiry, values)),
    await checkDefinitions(inquiry, definitions),
    await checkProcess(inquiry, values),
    await checkConfiguration(inquiry, { namespace, types: rules.types }),
    ...(values.certificates === "self" ? [] : [await checkCertificate(inquiry, { namespace, nowMs: nowMs() })]),
    await checkBaseRights(inquiry, namespace),
    ...rules.findings,
    ...(rules.types.length === 0 ? [] : [await checkWatchRights(inquiry, { namespace, types: rules.types })]),
  ];
  for (const secret of rules.secrets) {
    findings.push(...(await checkGitSecretIsThere(inquiry, secret)));
    findings.push(await checkGitSecret(inquiry, { namespace, secret }));
  }
  return findings;
}
