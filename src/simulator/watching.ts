/**
 * WATCH: a stream of frames over one response. Owns its subscription, its bookmark timer and its time limit.
 *
 * 1. Frames of one watch are in the order of revisions, each event once.
 * 2. A watch from a compacted revision is answered 200, then with an ERROR of code 410 (K26).
 * 3. With sendInitialEvents the state comes first and ends with an annotated bookmark (K25).
 * 4. A reader that is too slow is cut off (K27).
 */

import type { Clock, Timer } from "../../actors/ports.ts";
import type { SimulatedApiServer } from "./api-server.ts";
import type { SimulatedCluster } from "./cluster.ts";
import { isSelected } from "./label-selector.ts";
import { expired, tooLarge } from "./listing.ts";
import { textOf } from "./rendered.ts";
import type { SimulatedType } from "./resource-types.ts";
import { apiVersionOf } from "./resource-types.ts";
import type { StoredEvent } from "./store.ts";

/** Where frames go: a response, or a list in a test. */
export interface FrameSink {
  /** Bytes that the reader has not taken yet. */
  readonly backlogBytes: () => number;
  readonly write: (frame: string) => void;
  /** `cut` breaks the connection instead of ending the response. */
  readonly end: (how: "done" | "cut") => void;
}

export interface WatchOptions {
  readonly cluster: SimulatedCluster;
  /** Whose watch cache is read; default the first. */
  readonly server?: number;
  readonly type: SimulatedType;
  readonly namespace: string;
  readonly query: URLSearchParams;
  readonly clock: Clock;
  readonly bookmarkMs: number;
  readonly sink: FrameSink;
}

const BACKLOG_LIMIT_BYTES = 16 << 20;
const DEFAULT_TIMEOUT_SECONDS = 1800;

export class Watch implements Disposable {
  readonly #options: WatchOptions;
  readonly #server: SimulatedApiServer;
  readonly #selector: string;
  readonly #bookmarks: boolean;
  #subscription: Disposable | null = null;
  #bookmarkTimer: Timer | null = null;
  #limit: Timer | null = null;
  #position = 0;
  /** What its state came to: an API server waits for whoever reads that. */
  #stateBytes = 0;
  #ended = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#server = options.cluster.server(options);
    this.#selector = options.query.get("labelSelector") ?? "";
    this.#bookmarks = options.query.get("allowWatchBookmarks") === "true";
  }

  start(): void {
    const { cluster, type, query, clock, sink } = this.#options;
    const wanted = query.get("resourceVersion") ?? "";
    const withState = query.get("sendInitialEvents") === "true";
    const initial = withState || wanted === "" || wanted === "0";
    // Without a version the state is the latest: the watch cache catches up for it. With 0 it is what it has.
    if (wanted === "") this.#server.catchUp(cluster.store.revision);
    const seen = this.#server.revision;
    if (withState && Number(wanted) > seen) {
      if (Number(wanted) > cluster.store.revision) {
        sink.write(frame("ERROR", tooLarge(Number(wanted), cluster.store.revision).body));
        return this.#end("done");
      }
      this.#server.catchUp(Number(wanted));
    }
    this.#position = initial ? this.#server.revision : Number(wanted);
    if (initial) this.#sendState();
    this.#stateBytes = this.#options.sink.backlogBytes();
    if (withState && this.#bookmarks) this.#bookmark(true);
    this.#subscription = this.#server.subscribe(type.key, {
      seen: () => this.#catchUp(),
      stopped: () => this.#end("cut"),
    });
    this.#catchUp();
    const seconds = Number(query.get("timeoutSeconds") ?? "0") || DEFAULT_TIMEOUT_SECONDS;
    if (!this.#ended) this.#limit = clock.after(seconds * 1000, () => this.#end("done"));
    if (!this.#ended) this.#armBookmark();
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    this.#subscription?.[Symbol.dispose]();
    this.#bookmarkTimer?.[Symbol.dispose]();
    this.#limit?.[Symbol.dispose]();
  }

  /** Breaks the connection in the middle, as a network does. */
  cut(): void {
    this.#end("cut");
  }

  #sendState(): void {
    const { cluster, type, namespace, sink } = this.#options;
    const versions = cluster.store.list(type.key, { namespace, revision: this.#position });
    if (versions === null) throw new Error(`the watch cache is at ${this.#position}, which is compacted`);
    for (const version of versions) {
      if (!isSelected(version, this.#selector)) continue;
      sink.write(frame("ADDED", textOf(version, version.revision)));
    }
  }

  #catchUp(): void {
    if (this.#ended) return;
    const { type, namespace, sink } = this.#options;
    const events = this.#server.eventsAfter(type.key, this.#position);
    if (events === null) {
      sink.write(frame("ERROR", expired(this.#position, this.#server.oldest).body));
      this.#end("done");
      return;
    }
    for (const event of events) {
      this.#position = event.revision;
      if (namespace !== "" && event.namespace !== namespace) continue;
      const selected = selectedFrame(event, this.#selector);
      if (selected !== null) sink.write(selected);
    }
    if (sink.backlogBytes() > this.#stateBytes + BACKLOG_LIMIT_BYTES) this.#end("cut");
  }

  #armBookmark(): void {
    if (!this.#bookmarks) return;
    const { clock, bookmarkMs } = this.#options;
    this.#bookmarkTimer = clock.after(bookmarkMs, () => {
      if (this.#ended) return;
      this.#bookmark(false);
      this.#armBookmark();
    });
  }

  #bookmark(initialEventsEnd: boolean): void {
    const { type, sink } = this.#options;
    // A watch from the future stays silent (K48).
    if (this.#position > this.#server.revision) return;
    this.#position = this.#server.revision;
    sink.write(bookmarkFrame(type, { revision: this.#position, initialEventsEnd }));
  }

  #end(how: "done" | "cut"): void {
    if (this.#ended) return;
    this[Symbol.dispose]();
    this.#options.sink.end(how);
  }
}

export function frameOf(event: StoredEvent): string {
  return frame(event.kind, textOf(event.content, event.revision));
}

/** Who comes to match is added, who no longer does is deleted (K13); null: it never did. */
function selectedFrame(event: StoredEvent, selector: string): string | null {
  const before = event.previous !== null && isSelected(event.previous, selector);
  const after = event.kind !== "DELETED" && isSelected(event.content, selector);
  if (before && !after) return frame("DELETED", textOf(event.previous ?? event.content, event.revision));
  return after ? frame(before ? "MODIFIED" : "ADDED", textOf(event.content, event.revision)) : null;
}

function frame(type: string, object: string): string {
  return `{"type":"${type}","object":${object}}\n`;
}

function bookmarkFrame(
  type: SimulatedType,
  { revision, initialEventsEnd }: { readonly revision: number; readonly initialEventsEnd: boolean },
): string {
  const annotations = initialEventsEnd ? `,"annotations":{"k8s.io/initial-events-end":"true"}` : "";
  const metadata = `"metadata":{"resourceVersion":"${revision}"${annotations}}`;
  return frame("BOOKMARK", `{"kind":"${type.kind}","apiVersion":"${apiVersionOf(type)}",${metadata}}`);
}
