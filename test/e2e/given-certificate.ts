/** What somebody does whose installation has a certificate of his own (`--certificates files`): makes it, and has the API server trust it. */

import { randomBytes } from "node:crypto";

import { makeGeneration } from "../../src/webhook/generation.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { namespace } from "./installed.ts";

export interface Entry {
  readonly name: string;
  readonly clientConfig: { readonly caBundle?: string };
}

const dayMs = 86_400_000;
const secrets = `/api/v1/namespaces/${namespace}/secrets`;
const configuration = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/kubescribe";

export class GivenCertificate {
  readonly #plane: ControlPlane;
  #caBundle = "";

  constructor(plane: ControlPlane) {
    this.#plane = plane;
  }

  /** Base64, as it stands in the configuration. */
  get caBundle(): string {
    return this.#caBundle;
  }

  /** Puts a new one, of a new authority, into the Secret. */
  async make(days: number): Promise<void> {
    const names = [`kubescribe.${namespace}.svc`];
    const made = await makeGeneration({ names, lifetimeMs: days * dayMs, nowMs: Date.now(), randomBytes });
    this.#caBundle = Buffer.from(made.caPem).toString("base64");
    const stringData = { "tls.crt": made.certPem, "tls.key": made.keyPem };
    const metadata = { name: "kubescribe-tls" };
    const { status } = await this.#plane.request("admin", "PATCH", `${secrets}/kubescribe-tls`, { stringData });
    if (status === 404)
      await this.#plane.request("admin", "POST", secrets, { metadata, type: "kubernetes.io/tls", stringData });
  }

  /** Writes its authority into each webhook of the configuration. */
  async trust(): Promise<void> {
    for (const entry of (await this.entries()).keys()) {
      await this.patch({ op: "add", path: `/webhooks/${entry}/clientConfig/caBundle`, value: this.#caBundle });
    }
  }

  /** The webhooks of the configuration. */
  async entries(): Promise<readonly Entry[]> {
    const answer = JSON.parse((await this.#plane.request("admin", "GET", configuration)).text) as {
      readonly webhooks?: readonly Entry[];
    };
    return answer.webhooks ?? [];
  }

  /** As docs/WEBHOOK.md has it. */
  async patch(operation: object): Promise<void> {
    const text = JSON.stringify([operation]);
    const args = ["patch", "validatingwebhookconfiguration", "kubescribe", "--type=json", "-p", text];
    const { code, stderr } = await this.#plane.kubectl("admin", args);
    if (code !== 0) throw new Error(stderr);
  }
}
