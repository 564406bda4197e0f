/**
 * The way to the model's API server: its answers as bytes, cut anywhere, late, or broken off. Owns the open watches and whether
 * the network holds.
 */

import type { ApiServer, Clock, HttpResponse } from "../../actors/ports.ts";
import type { SimulatedCluster } from "../simulator/cluster.ts";
import { discover } from "../simulator/discovery.ts";
import { getObject } from "../simulator/get-object.ts";
import { list } from "../simulator/listing.ts";
import { routeOf } from "../simulator/route.ts";
import type { Route } from "../simulator/route.ts";
import type { ApiAnswer } from "../simulator/status.ts";
import { failure } from "../simulator/status.ts";
import { Watch } from "../simulator/watching.ts";
import type { Dice } from "./dice.ts";
import { pause } from "./process-ports.ts";

export interface NetworkOptions {
  readonly cluster: SimulatedCluster;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly bookmarkMs: number;
}

/** A LIST or WATCH: of two connections the load balancer may bring each to another API server. */
interface Asked extends Route {
  readonly query: URLSearchParams;
  readonly server: number;
}

export class Network implements ApiServer {
  readonly #options: NetworkOptions;
  readonly #pipes = new Set<Pipe>();
  #down = false;
  #stalledUntilMs = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Refuses connections and breaks those that are open. */
  setDown(down: boolean): void {
    this.#down = down;
    if (down) this.cut();
  }

  /** Breaks every open watch in the middle. */
  cut(): void {
    for (const pipe of this.#pipes) pipe.end("cut");
  }

  /** Nothing of a watch arrives for a while. */
  stall(ms: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#options.clock.monotonicMs() + ms);
  }

  async request({ path }: { readonly path: string }, signal: AbortSignal): Promise<HttpResponse> {
    const { cluster, clock, dice } = this.#options;
    await pause(clock, dice.below(4));
    if (this.#down || signal.aborted) throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    const url = new URL(path, "https://localhost");
    const discovered = discover(cluster.types, url.pathname);
    if (discovered !== null) return this.#whole(discovered);
    const route = routeOf(cluster, url.pathname);
    if (route === null) return this.#whole(failure("NotFound", "the server could not find the requested resource"));
    if (route.name !== "") return this.#whole(getObject(cluster, route));
    const asked = { ...route, query: url.searchParams, server: dice.below(cluster.servers.length) };
    if (url.searchParams.get("watch") === "true") return this.#watch(asked, signal);
    return this.#whole(list(cluster, { ...asked, query: this.#shortPages(url.searchParams) }));
  }

  /** A page may hold less than was asked for. */
  #shortPages(query: URLSearchParams): URLSearchParams {
    const limit = Number(query.get("limit") ?? "0");
    if (limit > 0) query.set("limit", String(Math.min(limit, 1 + this.#options.dice.below(6))));
    return query;
  }

  #whole({ status, body }: ApiAnswer): HttpResponse {
    const { dice } = this.#options;
    const bytes = Buffer.from(body);
    const broken = dice.chance(0.01);
    return { status, headers: {}, body: pieces(bytes, dice, broken) };
  }

  #watch(asked: Asked, signal: AbortSignal): HttpResponse {
    const { cluster, clock, dice, bookmarkMs } = this.#options;
    const pipe = new Pipe({ clock, dice, heldUntilMs: () => this.#stalledUntilMs });
    const watch = new Watch({ ...asked, cluster, clock, bookmarkMs, sink: pipe });
    this.#pipes.add(pipe);
    pipe.closed = (): void => {
      watch[Symbol.dispose]();
      this.#pipes.delete(pipe);
    };
    signal.addEventListener("abort", () => pipe.end("cut"), { once: true });
    watch.start();
    return { status: 200, headers: {}, body: pipe };
  }
}

async function* pieces(bytes: Buffer, dice: Dice, broken: boolean): AsyncGenerator<Uint8Array> {
  const end = broken ? dice.below(bytes.length + 1) : bytes.length;
  for (let at = 0; at < end;) {
    const next = Math.min(end, at + 1 + dice.below(bytes.length));
    yield Buffer.from(bytes.subarray(at, next));
    at = next;
  }
  if (broken) throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
}

interface PipeOptions {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly heldUntilMs: () => number;
}

/** One watch's bytes on their way. */
class Pipe implements AsyncIterable<Uint8Array> {
  readonly #options: PipeOptions;
  #bytes = Buffer.alloc(0);
  #ended: "done" | "cut" | null = null;
  #arrived: () => void = () => undefined;
  closed: () => void = () => undefined;

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  readonly backlogBytes = (): number => 0;

  readonly write = (frame: string): void => {
    this.#bytes = Buffer.concat([this.#bytes, Buffer.from(frame)]);
    this.#arrived();
  };

  /** A cut loses what is on its way, but for some of it. */
  readonly end = (how: "done" | "cut"): void => {
    if (this.#ended !== null) return;
    this.#ended = how;
    const { dice } = this.#options;
    if (how === "cut") this.#bytes = this.#bytes.subarray(0, dice.below(this.#bytes.length + 1));
    this.#arrived();
    this.closed();
  };

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { clock, dice, heldUntilMs } = this.#options;
    try {
      for (;;) {
        while (this.#bytes.length === 0 && this.#ended === null) await this.#more();
        await pause(clock, dice.below(dice.chance(0.1) ? 400 : 8));
        while (this.#ended !== "cut" && clock.monotonicMs() < heldUntilMs()) {
          await pause(clock, heldUntilMs() - clock.monotonicMs());
        }
        if (this.#bytes.length === 0 && this.#ended !== null) break;
        const length = dice.chance(0.5) ? this.#bytes.length : 1 + dice.below(this.#bytes.length);
        const chunk = Buffer.from(this.#bytes.subarray(0, length));
        this.#bytes = this.#bytes.subarray(length);
        yield chunk;
      }
      if (this.#ended === "cut") throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
    } finally {
      this.end("cut");
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }
}
