/**
 * A real API server, asked by HTTP. Owns a webhook that writes the reviews down, and one watch for each type. After a write it is
 * quiet when its events were seen: then the API server's watch cache has them too, and the next first attempt is not stale.
 */

import type { JsonObject } from "../../src/simulator/json.ts";
import { isObject, parseJson } from "../../src/simulator/json.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import type { StormKind } from "../storm/kinds.ts";
import { Recorder } from "../storm/recorder.ts";
import { modelKinds } from "./model-kinds.ts";
import type { HttpRequest } from "./operation.ts";
import { RecordingWebhook } from "./recording-webhook.ts";
import type { Side } from "./side.ts";

export class RealSide implements Side, AsyncDisposable {
  readonly #plane: ControlPlane;
  readonly #recorder: Recorder;
  readonly #webhook: RecordingWebhook;
  readonly #kinds: readonly StormKind[];
  readonly #taken = new Map<StormKind, number>();

  private constructor(
    plane: ControlPlane,
    watched: { readonly recorder: Recorder; readonly webhook: RecordingWebhook; readonly kinds: readonly StormKind[] },
  ) {
    this.#plane = plane;
    this.#recorder = watched.recorder;
    this.#webhook = watched.webhook;
    this.#kinds = watched.kinds;
  }

  /** The plane is prepared. */
  static async start(plane: ControlPlane, kinds: readonly StormKind[] = modelKinds): Promise<RealSide> {
    const recorder = new Recorder(plane);
    await recorder.start(kinds);
    const webhook = await RecordingWebhook.start(plane, { kinds });
    const side = new RealSide(plane, { recorder, webhook, kinds });
    for (const kind of kinds) side.#taken.set(kind, recorder.events.get(kind)?.length ?? 0);
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
    return this.#webhook.take().map(({ text }) => text);
  }

  async takeEvents(atLeast: number): Promise<readonly string[]> {
    const fresh = (): readonly string[] =>
      this.#kinds.flatMap((kind) => {
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
    for (const kind of this.#kinds) this.#taken.set(kind, this.#recorder.events.get(kind)?.length ?? 0);
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
}
