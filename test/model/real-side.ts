/**
 * A real API server, asked by HTTP. Owns a webhook that writes down every review and allows everything, and one watch for each
 * type. After a write it is quiet when its events were seen: then the API server's watch cache has them too, and the next first
 * attempt is not stale.
 */

import { createServer } from "node:https";
import { text } from "node:stream/consumers";

import type { JsonObject } from "../../src/simulator/json.ts";
import { isObject, parseJson } from "../../src/simulator/json.ts";
import { makeCertificate } from "../../src/simulator/certificate.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { freePorts } from "../controlplane/ports.ts";
import type { StormKind } from "../storm/kinds.ts";
import { collectionPath, namespace, widgetDefinition } from "../storm/kinds.ts";
import { Recorder } from "../storm/recorder.ts";
import { modelKinds, typeMeta } from "./model-kinds.ts";
import type { HttpRequest } from "./operation.ts";
import type { Side } from "./side.ts";

export class RealSide implements Side, AsyncDisposable {
  readonly #plane: ControlPlane;
  readonly #recorder: Recorder;
  readonly #webhook: RecordingWebhook;
  readonly #taken = new Map<StormKind, number>();

  private constructor(plane: ControlPlane, recorder: Recorder, webhook: RecordingWebhook) {
    this.#plane = plane;
    this.#recorder = recorder;
    this.#webhook = webhook;
  }

  static async start(plane: ControlPlane): Promise<RealSide> {
    await prepare(plane);
    const recorder = new Recorder(plane);
    await recorder.start(modelKinds);
    const webhook = await RecordingWebhook.start(plane);
    const side = new RealSide(plane, recorder, webhook);
    await side.#reviewed();
    for (const kind of modelKinds) side.#taken.set(kind, recorder.events.get(kind)?.length ?? 0);
    return side;
  }

  async read(path: string): Promise<JsonObject | null> {
    const answer = await this.#plane.request("admin", "GET", path);
    const object = answer.status === 200 ? parseJson(answer.text) : null;
    return object !== null && isObject(object) ? object : null;
  }

  async send(user: string, { method, path, contentType, body }: HttpRequest): Promise<number> {
    const headers = { "content-type": contentType };
    const answer = await this.#plane.request(user, method, path, body ?? undefined, { headers });
    return answer.status;
  }

  takeReviews(): readonly string[] {
    return this.#webhook.take();
  }

  async takeEvents(atLeast: number): Promise<readonly string[]> {
    const fresh = (): readonly string[] =>
      modelKinds.flatMap((kind) => {
        const events = this.#recorder.events.get(kind) ?? [];
        return events
          .slice(this.#taken.get(kind))
          .map((event) => `{"type":"${event.kind}","object":${event.bytes.toString("utf8")}}\n`);
      });
    const enough = async (): Promise<readonly string[] | undefined> => {
      const events = await Promise.resolve(fresh());
      return events.length >= atLeast ? events : undefined;
    };
    // What does not come is the difference that is looked for.
    const events = await eventually(enough, { timeoutMs: 5_000, everyMs: 1, what: `${atLeast} events` }).catch(() =>
      fresh(),
    );
    for (const kind of modelKinds) this.#taken.set(kind, this.#recorder.events.get(kind)?.length ?? 0);
    return events;
  }

  /** Of the watches. */
  get failures(): readonly string[] {
    return this.#recorder.failures;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#recorder[Symbol.dispose]();
    await this.#webhook[Symbol.asyncDispose]();
  }

  /** The API server begins to ask a moment after the webhook was made. */
  async #reviewed(): Promise<void> {
    for (const kind of modelKinds) {
      await eventually(
        async () => {
          const body = { ...typeMeta(kind), metadata: { generateName: "probe-" }, ...kind.content(0, 0) };
          await this.#plane.request("admin", "POST", `${collectionPath(kind)}?dryRun=All`, body);
          return this.#webhook.take().length > 0 ? true : undefined;
        },
        { timeoutMs: 20_000, what: `a review of ${kind.resource}` },
      );
    }
  }
}

async function prepare(plane: ControlPlane): Promise<void> {
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const made = [
    await plane.request("admin", "POST", "/api/v1/namespaces", { metadata: { name: namespace } }),
    await plane.request("admin", "POST", definitions, widgetDefinition),
  ];
  for (const { status, text } of made) if (status !== 201) throw new Error(text);
  for (const kind of modelKinds) {
    const path = collectionPath(kind);
    await eventually(async () => ((await plane.request("admin", "GET", path)).status === 200 ? true : undefined), {
      what: path,
    });
  }
}

class RecordingWebhook implements AsyncDisposable {
  #reviews: string[] = [];
  #close: () => void = () => undefined;

  static async start(plane: ControlPlane): Promise<RecordingWebhook> {
    const webhook = new RecordingWebhook();
    const { certificatePem, keyPem } = await makeCertificate("127.0.0.1", { nowMs: () => Date.now() });
    const [port = 0] = await freePorts(1);
    const server = createServer({ cert: certificatePem, key: keyPem, keepAliveTimeout: 120_000 }, (asked, answer) => {
      void text(asked).then((review) => {
        webhook.#reviews.push(review);
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
    webhook.#close = () => {
      server.closeAllConnections();
      server.close();
    };
    await plane.installWebhook({
      url: `https://127.0.0.1:${port}/`,
      caPem: certificatePem,
      name: "recorder",
      timeoutSeconds: 10,
      rules: modelKinds.map(({ group, version, resource }) => ({
        apiGroups: [group],
        apiVersions: [version],
        resources: [resource, `${resource}/*`],
      })),
    });
    return webhook;
  }

  take(): readonly string[] {
    const taken = this.#reviews;
    this.#reviews = [];
    return taken;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    return Promise.resolve();
  }
}
