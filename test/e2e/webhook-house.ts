/**
 * An admission server with the webhook's keepers, beside a control plane, as the installation's service account. Owns the server, the
 * keepers and the connection; what was reviewed is kept by what it carried.
 */

import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { ShownCredentials } from "../../machines/webhook-credentials.ts";
import type { AdmissionServer } from "../../src/admission/server.ts";
import { startAdmissionServer } from "../../src/admission/server.ts";
import { nodeClock } from "../../src/composition/node-clock.ts";
import { connectApiServer } from "../../src/kubernetes/api-server.ts";
import type { HttpsApiServer } from "../../src/kubernetes/api-server.ts";
import type { Coverage } from "../../src/webhook/coverage.ts";
import type { WebhookKeeper } from "../../src/webhook/webhook-keeper.ts";
import { openWebhookKeeper } from "../../src/webhook/webhook-keeper.ts";
import { createRecorder, type Recorder } from "../admission/recorder.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { kubeconfigText } from "../controlplane/credentials.ts";
import { eventually } from "../controlplane/eventually.ts";

export const home = "kubescribe-system";
export const secretPath = `/api/v1/namespaces/${home}/secrets/kubescribe-webhook`;
export const configurationPath = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/kubescribe";
/** So that a renewal takes seconds. Nobody here reads later than `pollMs`. */
const times = {
  waitMs: 1000,
  pollMs: 250,
  lookMs: 250,
  settleMs: 250,
  lostForMs: 500,
  goneForMs: 500,
  probeMs: 250,
  againMs: 100,
};

/** What is looked at of a review. */
export interface SeenReview {
  readonly user: string;
  readonly operation: string;
  /** `pods/eviction`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** Of `object.data`. */
  readonly mark: string;
}

/** What an installation consists of, before its process has begun. Rights are on names alone. */
export async function installHome(plane: ControlPlane): Promise<void> {
  const names = ["kubescribe-webhook"];
  const verbs = ["get", "update", "patch", "create"];
  const subjects = [{ kind: "ServiceAccount", name: "kubescribe", namespace: home }];
  const rbac = "rbac.authorization.k8s.io";
  const documents = [
    ["/api/v1/namespaces", { metadata: { name: home } }],
    [`/api/v1/namespaces/${home}/serviceaccounts`, { metadata: { name: "kubescribe" } }],
    [`/apis/coordination.k8s.io/v1/namespaces/${home}/leases`, { metadata: { name: "kubescribe" } }],
    [`/api/v1/namespaces/${home}/secrets`, { metadata: { name: "kubescribe-webhook" } }],
    [
      `/apis/${rbac}/v1/namespaces/${home}/roles`,
      {
        metadata: { name: "kubescribe" },
        rules: [
          { apiGroups: [""], resources: ["secrets"], resourceNames: names, verbs },
          {
            apiGroups: ["coordination.k8s.io"],
            resources: ["leases"],
            resourceNames: ["kubescribe"],
            verbs: ["patch"],
          },
        ],
      },
    ],
    [
      `/apis/${rbac}/v1/namespaces/${home}/rolebindings`,
      { metadata: { name: "kubescribe" }, roleRef: { apiGroup: rbac, kind: "Role", name: "kubescribe" }, subjects },
    ],
    [
      `/apis/${rbac}/v1/clusterroles`,
      {
        metadata: { name: "kubescribe" },
        rules: [
          {
            apiGroups: ["admissionregistration.k8s.io"],
            resources: ["validatingwebhookconfigurations"],
            resourceNames: ["kubescribe"],
            verbs,
          },
        ],
      },
    ],
    [
      `/apis/${rbac}/v1/clusterrolebindings`,
      {
        metadata: { name: "kubescribe" },
        roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "kubescribe" },
        subjects,
      },
    ],
    [configurationPath.replace(/\/[^/]+$/, ""), { metadata: { name: "kubescribe" }, webhooks: [] }],
  ] as const;
  for (const [path, document] of documents) {
    const answer = await plane.request("admin", "POST", path, document);
    if (answer.status !== 201) throw new Error(`${path}: ${answer.text}`);
  }
}

export class WebhookHouse implements AsyncDisposable {
  readonly reviews: SeenReview[] = [];
  /** Marks of all reviews. */
  readonly marks = new Set<string>();
  readonly shown: ShownCredentials[] = [];
  readonly coverage: Coverage[] = [];
  readonly recorder: Recorder;
  /** What a review waits for. */
  gate: () => Promise<void> = () => Promise.resolve();
  holds = true;
  readonly #api: HttpsApiServer;
  readonly #keeper: WebhookKeeper;
  #server: AdmissionServer | null = null;

  private constructor(api: HttpsApiServer, keeper: WebhookKeeper, recorder: Recorder) {
    this.recorder = recorder;
    this.#api = api;
    this.#keeper = keeper;
  }

  /** `port`: where its reviews are sent; of a second one, that of the first. */
  static async open(
    plane: ControlPlane,
    { port, name = "house" }: { readonly port: number; readonly name?: string },
  ): Promise<WebhookHouse> {
    const token = await plane.request(
      "admin",
      "POST",
      `/api/v1/namespaces/${home}/serviceaccounts/kubescribe/token`,
      {},
    );
    const { token: secret } = token.json()["status"] as { readonly token: string };
    const kubeconfig = join(plane.directory, `kubeconfig-${name}`);
    const [url = ""] = plane.urls;
    writeFileSync(kubeconfig, kubeconfigText({ url, caPem: plane.caPem, user: "kubescribe", token: secret }));
    const recorder = createRecorder();
    const ports = { clock: nodeClock, files: { readFile }, meter: recorder.meter, log: recorder.log };
    const api = await connectApiServer({ ...ports, kubeconfig });
    const holder = { house: null as WebhookHouse | null };
    const keeper = await openWebhookKeeper({
      ...ports,
      api,
      randomBytes,
      times,
      installation: "kubescribe",
      namespace: home,
      directory: null,
      certificates: "self",
      holds: () => holder.house?.holds ?? false,
      target: { url: `https://localhost:${port}` },
    });
    const house = new WebhookHouse(api, keeper, recorder);
    holder.house = house;
    keeper.coverage$.subscribe((each) => house.coverage.push(each));
    keeper.shown$.subscribe((shown) => {
      house.shown.push(shown);
      house.#server?.takePaths(shown.paths);
      house.#server?.showCertificate({ cert: Buffer.from(shown.certPem), key: Buffer.from(shown.keyPem) });
    });
    keeper.look();
    return house;
  }

  get keeper(): WebhookKeeper {
    return this.#keeper;
  }

  /** From here on reviews are taken. */
  async listen(port: number): Promise<void> {
    const shown = await this.#keeper.shown();
    this.#server = await startAdmissionServer({
      host: "127.0.0.1",
      port,
      paths: shown.paths,
      certificate: { cert: Buffer.from(shown.certPem), key: Buffer.from(shown.keyPem) },
      handleReview: (body) => this.#handle(body),
      clock: nodeClock,
      files: { readFile },
      meter: this.recorder.meter,
      log: this.recorder.log,
      onBlind: () => undefined,
      onSeeing: () => undefined,
      drainMs: 100,
    });
  }

  async deafen(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = null;
  }

  covered(): Promise<true> {
    return eventually(() => (this.#keeper.coverage.covered ? true : undefined), { what: "cover" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.gate = () => Promise.resolve();
    await this.deafen();
    await this.#keeper[Symbol.asyncDispose]();
    await this.#api[Symbol.asyncDispose]();
  }

  async #handle(body: Uint8Array): Promise<string> {
    const { apiVersion, kind, request } = JSON.parse(Buffer.from(body).toString()) as Review;
    const { resource, subResource, object } = request;
    const mark = object?.data?.["mark"] ?? "";
    this.marks.add(mark);
    this.reviews.push({
      user: request.userInfo.username,
      operation: request.operation,
      resource: [resource.resource, ...(subResource === undefined ? [] : [subResource])].join("/"),
      namespace: request.namespace ?? "",
      name: request.name ?? "",
      mark,
    });
    await this.gate();
    return JSON.stringify({ apiVersion, kind, response: { uid: request.uid, allowed: true } });
  }
}

interface Review {
  readonly apiVersion: string;
  readonly kind: string;
  readonly request: {
    readonly uid: string;
    readonly userInfo: { readonly username: string };
    readonly operation: string;
    readonly resource: { readonly resource: string };
    readonly subResource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly object?: { readonly data?: Readonly<Record<string, string>> } | null;
  };
}
