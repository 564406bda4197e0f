/** Users at once on few names of a real control plane: each sends one random operation after the other, to any of its API servers. */

import type { JsonObject } from "../../src/simulator/json.ts";
import { isObject, objectAt, parseJson, stringAt } from "../../src/simulator/json.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { namespace } from "../storm/kinds.ts";
import { seededRandom } from "../storm/random.ts";
import { Recorder } from "../storm/recorder.ts";
import { drawOperation } from "./draw-operation.ts";
import { modelKinds } from "./model-kinds.ts";
import type { HttpRequest, Operation } from "./operation.ts";
import { preparePlane } from "./prepare-plane.ts";
import { RecordingWebhook } from "./recording-webhook.ts";
import type { Trace, TracedEvent, TracedRequest } from "./trace.ts";

export interface TraceOptions {
  readonly seed: number;
  readonly users: readonly string[];
  /** Of all users. */
  readonly operations: number;
  readonly startDenier: (plane: ControlPlane) => Promise<AsyncDisposable>;
}

/** A review is answered so much later at most, so that others come between. */
const longestDelayMs = 15;

export async function recordTrace(plane: ControlPlane, options: TraceOptions): Promise<Trace> {
  const { seed, users, operations } = options;
  await preparePlane(plane);
  using recorder = new Recorder(plane);
  await recorder.start(modelKinds);
  const delays = seededRandom(seed, "delays");
  await using webhook = await RecordingWebhook.start(plane, { delayMs: () => delays.below(longestDelayMs) });
  await using _denier = await options.startDenier(plane);
  const requests: TracedRequest[] = [];
  const each = Math.ceil(operations / users.length);
  await Promise.all(users.map((user) => actAs(user, { plane, webhook, requests, seed, operations: each })));
  await caughtUp(plane, recorder);
  if (recorder.failures.length > 0) throw new Error(recorder.failures.join("\n"));
  return { requests, events: eventsOf(recorder) };
}

interface Stage {
  readonly plane: ControlPlane;
  readonly webhook: RecordingWebhook;
  readonly requests: TracedRequest[];
  readonly seed: number;
  readonly operations: number;
}

async function actAs(user: string, { plane, webhook, requests, seed, operations }: Stage): Promise<void> {
  const random = seededRandom(seed, user);
  const older = new Map<string, JsonObject>();
  for (let turn = 0; turn < operations; turn += 1) {
    const server = random.below(plane.urls.length);
    const { action, reads, make }: Operation = drawOperation(random);
    const current =
      reads === "" ? null : objectIn((await plane.request(user, "GET", reads, undefined, { server })).text);
    const request = make({ current, older: older.get(reads) ?? null });
    if (current !== null) older.set(reads, current);
    if (request === null) continue;
    const begin = webhook.reviews.length;
    const { status, text } = await send(plane, { user, request, server });
    const own = `"username":${JSON.stringify(user)}`;
    const reviews = webhook.reviews.slice(begin).filter((review) => review.text.includes(own));
    const version = stringAt(objectAt(objectIn(text), "metadata"), "resourceVersion");
    requests.push({ number: requests.length + 1, action, user, request, status, version, reviews });
  }
}

function send(
  plane: ControlPlane,
  { user, request, server }: { readonly user: string; readonly request: HttpRequest; readonly server: number },
): Promise<{ readonly status: number; readonly text: string }> {
  const { method, path, contentType, body } = request;
  return plane.request(user, method, path, body ?? undefined, { server, headers: { "content-type": contentType } });
}

/** The object, unless it is a Status. */
function objectIn(text: string): JsonObject | null {
  const object = parseJson(text);
  return isObject(object) && object["kind"] !== "Status" ? object : null;
}

/** A last write to each type comes out of its watch behind everything else. */
async function caughtUp(plane: ControlPlane, recorder: Recorder): Promise<void> {
  for (const kind of modelKinds) {
    const { group, version, resource } = kind;
    const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    const body = { metadata: { name: "last" }, ...kind.content(0, 0), kind: kind.kind };
    const apiVersion = group === "" ? version : `${group}/${version}`;
    const path = `${root}/namespaces/${namespace}/${resource}`;
    const made = await plane.request("admin", "POST", path, { apiVersion, ...body });
    if (made.status !== 201) throw new Error(made.text);
    const seen = (): true | undefined =>
      eventsOf(recorder).some(({ type, name }) => type === kind && name === "last") || undefined;
    await eventually(seen, { what: `the last ${kind.kind}` });
  }
}

function eventsOf(recorder: Recorder): readonly TracedEvent[] {
  return [...recorder.events].flatMap(([type, events]) =>
    events.flatMap(({ kind, bytes, seenAtMs }) => {
      const object = bytes.toString("utf8");
      const metadata = objectAt(parseJson(object), "metadata");
      if (metadata["namespace"] !== namespace) return [];
      return {
        kind,
        type,
        seenAtMs,
        frame: `{"type":"${kind}","object":${object}}\n`,
        name: stringAt(metadata, "name"),
        uid: stringAt(metadata, "uid"),
        version: stringAt(metadata, "resourceVersion"),
      };
    }),
  );
}
