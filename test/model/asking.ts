/** One collection, read by a query on either side: how it is answered, and what is in it. */

import type { SimulatedCluster } from "../../src/simulator/cluster.ts";
import { arrayAt, numberAt, objectAt, parseJson, stringAt } from "../../src/simulator/json.ts";
import { isWatch, refuseListOptions } from "../../src/simulator/list-options.ts";
import { list } from "../../src/simulator/listing.ts";
import { CONFIG_MAPS } from "../../src/simulator/resource-types.ts";
import { Watch } from "../../src/simulator/watching.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";

export interface Answered {
  readonly status: number;
  /** Of a list its items and whether there are more; of a watch its frames until it ends. */
  readonly shown: string;
}

/** Nobody else writes there. */
export const askedNamespace = "default";
const watchedSeconds = 1;

export async function askReal(plane: ControlPlane, query: string): Promise<Answered> {
  const limited = isWatch(new URLSearchParams(query)) ? `${query}&timeoutSeconds=${watchedSeconds}` : query;
  const { status, text } = await plane.request(
    "admin",
    "GET",
    `/api/v1/namespaces/${askedNamespace}/configmaps?${limited}`,
  );
  return answeredOf(status, text, query);
}

export function askModel(cluster: SimulatedCluster, text: string): Answered {
  const query = new URLSearchParams(text);
  const options = { type: CONFIG_MAPS, namespace: askedNamespace, query };
  const refusal = refuseListOptions(query);
  if (refusal !== null) return answeredOf(refusal.status, refusal.body, text);
  if (!isWatch(query)) {
    const { status, body } = list(cluster, options);
    return answeredOf(status, body, text);
  }
  let frames = "";
  const sink = { backlogBytes: () => 0, write: (frame: string) => void (frames += frame), end: () => undefined };
  const clock = createSimulatedClock();
  const watch = new Watch({ ...options, cluster, clock, bookmarkMs: 60_000, sink });
  watch.start();
  clock.advance(watchedSeconds * 1000);
  watch[Symbol.dispose]();
  return answeredOf(200, frames, text);
}

function answeredOf(status: number, body: string, query: string): Answered {
  if (status !== 200) return { status, shown: "" };
  if (isWatch(new URLSearchParams(query))) {
    const frames = body.split("\n").filter((line) => line !== "");
    // Bookmarks come by time, but for the one that ends the initial events.
    const shown = frames.map((frame) => frameOf(frame)).filter((frame) => frame !== "BOOKMARK ");
    return { status, shown: shown.join(", ") };
  }
  const whole = parseJson(body);
  const metadata = objectAt(whole, "metadata");
  const names = arrayAt(whole, "items").map((item) => stringAt(objectAt(item, "metadata"), "name"));
  const rest = numberAt(metadata, "remainingItemCount");
  return { status, shown: `${names.join(", ")}${stringAt(metadata, "continue") === "" ? "" : `, and ${rest} more`}` };
}

function frameOf(text: string): string {
  const frame = parseJson(text);
  const object = objectAt(frame, "object");
  const metadata = objectAt(object, "metadata");
  const end = "annotations" in metadata ? " at the end" : "";
  return `${stringAt(frame, "type")} ${stringAt(metadata, "name") || numberAt(object, "code") || ""}${end}`;
}
