/** A webhook that writes down every review and allows everything, perhaps late. Owns its listener. */

import { createServer } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

import { makeCertificate } from "../../src/simulator/certificate.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { freePorts } from "../controlplane/ports.ts";
import type { StormKind } from "../storm/kinds.ts";
import { collectionPath } from "../storm/kinds.ts";
import { modelKinds, typeMeta } from "./model-kinds.ts";

export interface RecordedReview {
  readonly text: string;
  /** Wall clock. */
  readonly atMs: number;
}

export class RecordingWebhook implements AsyncDisposable {
  readonly #reviews: RecordedReview[] = [];
  readonly #delayMs: () => number;
  #close: () => void = () => undefined;
  #taken = 0;

  private constructor(delayMs: () => number) {
    this.#delayMs = delayMs;
  }

  /** Resolves when every API server asks it about every type. */
  static async start(
    plane: ControlPlane,
    {
      kinds = modelKinds,
      delayMs = () => 0,
    }: { readonly kinds?: readonly StormKind[]; readonly delayMs?: () => number } = {},
  ): Promise<RecordingWebhook> {
    const webhook = new RecordingWebhook(delayMs);
    await webhook.#listen(plane, kinds);
    for (const server of plane.urls.keys()) for (const kind of kinds) await webhook.#asked(plane, server, kind);
    return webhook;
  }

  /** All of them, in the order of their arrival. */
  get reviews(): readonly RecordedReview[] {
    return this.#reviews;
  }

  /** Those since the last time. */
  take(): readonly RecordedReview[] {
    const fresh = this.#reviews.slice(this.#taken);
    this.#taken = this.#reviews.length;
    return fresh;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    return Promise.resolve();
  }

  async #listen(plane: ControlPlane, kinds: readonly StormKind[]): Promise<void> {
    const { certificatePem, keyPem } = await makeCertificate("127.0.0.1", { nowMs: () => Date.now() });
    const [port = 0] = await freePorts(1);
    const server = createServer({ cert: certificatePem, key: keyPem, keepAliveTimeout: 120_000 }, (asked, answer) => {
      void text(asked).then(async (review) => {
        this.#reviews.push({ text: review, atMs: Date.now() });
        const delayMs = this.#delayMs();
        if (delayMs > 0) await delay(delayMs);
        const uid = /"request":\{"uid":"([^"]+)"/.exec(review)?.[1] ?? "";
        const response = { uid, allowed: true };
        answer.setHeader("content-type", "application/json");
        answer.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response }));
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    this.#close = () => {
      server.closeAllConnections();
      server.close();
    };
    await plane.installWebhook({
      url: `https://127.0.0.1:${port}/`,
      caPem: certificatePem,
      name: "recorder",
      timeoutSeconds: 10,
      rules: kinds.map(({ group, version, resource }) => ({
        apiGroups: [group],
        apiVersions: [version],
        resources: [resource, `${resource}/*`],
      })),
    });
  }

  /** The API server begins to ask a moment after the webhook was made. */
  async #asked(plane: ControlPlane, server: number, kind: StormKind): Promise<void> {
    const body = { ...typeMeta(kind), metadata: { generateName: "probe-" }, ...kind.content(0, 0) };
    await eventually(
      async () => {
        await plane.request("admin", "POST", `${collectionPath(kind)}?dryRun=All`, body, { server });
        return this.take().length > 0 ? true : undefined;
      },
      { timeoutMs: 20_000, what: `a review of ${kind.resource} by API server ${server}` },
    );
  }
}
