/**
 * What the cluster persisted, seen by a watch of the test's own, one for each kind, unfiltered, begun before kubescribe: the
 * reference. Raw bytes, in the order of the watch. A stream that ends is a failure of the test.
 */

import { request } from "node:https";

import type { ControlPlane } from "../controlplane/control-plane.ts";
import { clusterPath, type StormKind } from "./kinds.ts";

export interface RecordedEvent {
  readonly kind: "ADDED" | "MODIFIED" | "DELETED";
  readonly type: StormKind;
  /** The raw object. */
  readonly bytes: Buffer;
  /** Wall clock, ms since 1970. */
  readonly seenAtMs: number;
}

const prefix = /^\{"type":"([A-Z]+)","object":/;

export class Recorder implements Disposable {
  /** By kind, in watch order; the first ones are the list that the watch went on from. */
  readonly events = new Map<StormKind, RecordedEvent[]>();
  readonly failures: string[] = [];
  readonly #plane: ControlPlane;
  readonly #abort = new AbortController();

  constructor(plane: ControlPlane) {
    this.#plane = plane;
  }

  /** Resolves when everything that is there was read, and the watch goes on from there. */
  async start(kinds: readonly StormKind[]): Promise<void> {
    await Promise.all(kinds.map((kind) => this.#follow(kind)));
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }

  async #follow(type: StormKind): Promise<void> {
    const events: RecordedEvent[] = [];
    this.events.set(type, events);
    const listed = await this.#plane.request("admin", "GET", clusterPath(type));
    const { metadata, items } = listed.json() as unknown as {
      readonly metadata: { readonly resourceVersion: string };
      readonly items: readonly object[];
    };
    const apiVersion = type.group === "" ? type.version : `${type.group}/${type.version}`;
    for (const item of items) {
      const bytes = Buffer.from(JSON.stringify({ kind: type.kind, apiVersion, ...item }));
      events.push({ kind: "ADDED", type, bytes, seenAtMs: 0 });
    }
    const path = `${clusterPath(type)}?watch=1&resourceVersion=${metadata.resourceVersion}&timeoutSeconds=3600`;
    await this.#stream(path, (line) => {
      const [head = "", kind] = prefix.exec(line.subarray(0, 64).toString("latin1")) ?? [];
      if (kind !== "ADDED" && kind !== "MODIFIED" && kind !== "DELETED")
        this.failures.push(`the watch of ${type.resource} said ${line.toString("utf8", 0, 300)}`);
      else events.push({ kind, type, bytes: line.subarray(head.length, -1), seenAtMs: Date.now() });
    });
  }

  #stream(path: string, onLine: (line: Buffer) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const asked = request(
        `${this.#plane.urls[0] ?? ""}${path}`,
        {
          ca: this.#plane.caPem,
          agent: false,
          signal: this.#abort.signal,
          headers: { authorization: `Bearer ${this.#plane.token("admin")}`, accept: "application/json" },
        },
        (response) => {
          if (response.statusCode !== 200) {
            reject(new Error(`${path} answered ${response.statusCode}`));
            return;
          }
          resolve();
          let rest = Buffer.alloc(0);
          response.on("data", (chunk: Buffer) => {
            rest = Buffer.concat([rest, chunk]);
            for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
              onLine(rest.subarray(0, end));
              rest = rest.subarray(end + 1);
            }
          });
          const ended = (): void => {
            if (!this.#abort.signal.aborted) this.failures.push(`the watch ${path} ended`);
          };
          response.once("end", ended);
          response.once("error", ended);
        },
      );
      asked.once("error", reject);
      asked.end();
    });
  }
}
