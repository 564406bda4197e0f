/** The API server's answers to LIST and WATCH as bytes, let through as far as whoever plays says. */

import type { ApiServer, Clock, HttpResponse } from "../../actors/ports.ts";
import type { SimulatedCluster } from "../../src/simulator/cluster.ts";
import { list } from "../../src/simulator/listing.ts";
import { routeOf } from "../../src/simulator/route.ts";
import { type FrameSink, Watch } from "../../src/simulator/watching.ts";

export class PlayedNetwork implements ApiServer {
  readonly #cluster: SimulatedCluster;
  readonly #clock: Clock;
  readonly #pipes = new Set<Pipe>();

  constructor(cluster: SimulatedCluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /** Bytes of watches that are on their way. */
  get heldBytes(): number {
    return [...this.#pipes].reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Lets so many bytes through, wherever that cuts a frame. */
  release(bytes: number): void {
    for (const pipe of this.#pipes) pipe.release(bytes);
  }

  /** The connection breaks; what was on its way is lost. */
  cut(): void {
    for (const pipe of this.#pipes) pipe.end("cut");
  }

  /** The last frame comes once more. */
  repeat(): void {
    for (const pipe of this.#pipes) pipe.repeat();
  }

  async request({ path }: { readonly path: string }, signal: AbortSignal): Promise<HttpResponse> {
    const url = new URL(path, "https://localhost");
    const route = routeOf(this.#cluster, url.pathname);
    if (route === null || signal.aborted) throw new Error(`nothing is served at ${path}`);
    const query = url.searchParams;
    if (query.get("watch") !== "true") {
      const { status, body } = list(this.#cluster, { ...route, query });
      return {
        status,
        headers: {},
        body: (async function* () {
          yield Buffer.from(body);
        })(),
      };
    }
    const pipe = new Pipe();
    const watch = new Watch({
      cluster: this.#cluster,
      clock: this.#clock,
      query,
      sink: pipe,
      bookmarkMs: 6e4,
      type: route.type,
      namespace: route.namespace,
    });
    this.#pipes.add(pipe);
    pipe.onEnd = () => {
      watch[Symbol.dispose]();
      this.#pipes.delete(pipe);
    };
    signal.addEventListener("abort", () => pipe.end("cut"), { once: true });
    watch.start();
    return { status: 200, headers: {}, body: pipe };
  }
}

/** One watch's bytes: held until they are released. */
class Pipe implements FrameSink, AsyncIterable<Uint8Array> {
  #held = Buffer.alloc(0);
  #released: Buffer[] = [];
  #last = "";
  #ended: "done" | "cut" | null = null;
  #wake: () => void = () => undefined;
  onEnd: () => void = () => undefined;

  get heldBytes(): number {
    return this.#held.length;
  }

  readonly backlogBytes = (): number => 0;

  readonly write = (frame: string): void => {
    this.#last = frame;
    this.#held = Buffer.concat([this.#held, Buffer.from(frame)]);
  };

  readonly end = (how: "done" | "cut"): void => {
    if (this.#ended !== null) return;
    this.#ended = how;
    this.onEnd();
    if (how === "done") this.release(this.#held.length);
    this.#wake();
  };

  release(bytes: number): void {
    if (bytes === 0 || this.#held.length === 0) return;
    this.#released.push(this.#held.subarray(0, bytes));
    this.#held = this.#held.subarray(bytes);
    this.#wake();
  }

  repeat(): void {
    this.#held = Buffer.concat([this.#held, Buffer.from(this.#last)]);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#released.shift();
      if (chunk !== undefined) {
        // A chunk is valid only until the next one is asked for.
        const lent = Buffer.from(chunk);
        yield lent;
        lent.fill(0);
      } else if (this.#ended === "done") return;
      else if (this.#ended === "cut") throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
