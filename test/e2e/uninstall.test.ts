/**
 * What INSTALL tells to type to be rid of it, while people write: with its process at work, and with its process dead. No write fails, the
 * webhook does not come back, and it can be installed again. One control plane for all of them, one after the other.
 */

import { afterAll, beforeAll, expect, test } from "vitest";

import type { ControlPlane } from "../controlplane/control-plane.ts";
import { documentedCommands } from "./documented.ts";
import { configMaps, Installed } from "./installed.ts";
import type { Pod } from "./pods.ts";
import { Shell } from "./typed.ts";

const [byKubectl = "", rights = "", byHelm = "", ...others] = documentedCommands("docs/INSTALL.md", "Uninstall");
const configuration = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/kubescribe";
const label = "app.kubernetes.io/name=kubescribe";

let here: Installed;
let shell: Shell;

beforeAll(async () => {
  here = await Installed.open();
  shell = new Shell(here.plane);
  shell.write("rules.yaml", here.rules());
  const args = ["--log-level=debug", here.allow];
  shell.write("values.yaml", JSON.stringify({ watch: [{ apiGroups: [""], resources: ["configmaps"] }], args }));
});

afterAll(() => here[Symbol.asyncDispose]());

const options = "--watch configmaps --git-secrets default/git";
const kubectl = {
  install: (): string => `kubescribe install ${options} -- '${here.allow}' | kubectl apply -f -`,
  uninstall: [byKubectl, rights],
  left: [] as readonly string[],
};
const [helmInstall = ""] = documentedCommands("docs/INSTALL.md", "With Helm");
const helm = {
  install: (): string => helmInstall,
  uninstall: [byHelm],
  left: ["clusterwatchrules", "gitrepoconfigs", "watchrules"].map((type) => `${type}.kubescribe.dev`),
};

test("there is nothing else to type", () => {
  expect(others).toEqual([]);
});

test.each([
  { name: "kubectl, with its process at work", by: kubectl, dead: false },
  { name: "kubectl, with its process dead", by: kubectl, dead: true },
  { name: "helm, with its process at work", by: helm, dead: false },
  { name: "helm, with its process dead", by: helm, dead: true },
])("by $name", async ({ name, by, dead }) => {
  const pod = await installed(by.install(), name);
  const writing = new Writing(here.plane, name);
  await writing.more(10);
  if (dead) await pod.kill();
  for (const command of by.uninstall) await shell.type(command);
  await writing.more(40);
  expect((await here.plane.request("admin", "GET", configuration)).status).toBe(404);
  // Its node notices in the end.
  if (!dead) expect(await pod.stop()).toBe(0);
  await writing.more(10);
  expect(await writing.stop()).toEqual(new Set([200]));
  expect((await here.plane.request("admin", "GET", configuration)).status).toBe(404);
  expect(await left()).toEqual(by.left);
});

/** Everything that bears its label. Pods have it, too, and go when the garbage collector comes to them. */
async function left(): Promise<readonly string[]> {
  const kinds = "namespaces,crds,clusterroles,clusterrolebindings,validatingwebhookconfigurations";
  const spaced = "serviceaccounts,roles,rolebindings,secrets,leases,services,deployments,poddisruptionbudgets";
  const list = `kubectl get -A -l ${label} -o name`;
  const text = `${await shell.type(`${list} ${kinds}`)}${await shell.type(`${list} ${spaced}`)}`;
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.slice(line.indexOf("/") + 1))
    .toSorted();
}

/** Records, with authors. */
async function installed(command: string, mark: string): Promise<Pod> {
  await shell.type(command);
  await shell.type("kubectl apply -f rules.yaml");
  const pod = await here.start();
  await pod.ready();
  await here.recorded(pod);
  const name = nameOf(mark);
  await here.plane.request("alice", "POST", configMaps, { metadata: { name } });
  expect(await here.waitForCommits(`default/${name}`, 1, pod)).toMatchObject([{ user: "alice", tier: "exact" }]);
  return pod;
}

function nameOf(mark: string): string {
  return mark.toLowerCase().replaceAll(/[^a-z]+/g, "-");
}

/** Somebody who writes without a pause, and what came of it. Owns its loop. */
class Writing {
  readonly #statuses: number[] = [];
  readonly #loop: Promise<void>;
  #stopped = false;
  #waiting: { readonly count: number; readonly resolve: () => void } | null = null;

  constructor(plane: ControlPlane, mark: string) {
    this.#loop = this.#write(plane, `${configMaps}/${nameOf(mark)}`);
  }

  /** Resolves after so many more writes. */
  async more(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting = { count: this.#statuses.length + count, resolve };
    });
  }

  async stop(): Promise<ReadonlySet<number>> {
    this.#stopped = true;
    await this.#loop;
    return new Set(this.#statuses);
  }

  async #write(plane: ControlPlane, path: string): Promise<void> {
    while (!this.#stopped) {
      const { status } = await plane.request("bob", "PATCH", path, { data: { n: String(this.#statuses.length) } });
      this.#statuses.push(status);
      if (this.#waiting !== null && this.#statuses.length >= this.#waiting.count) this.#waiting.resolve();
    }
  }
}
