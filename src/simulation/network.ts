/**
 * The way to the model's API server: its answers as bytes, in pieces and late. Owns the open watches and whether the network
 * holds.
 */

import type { ApiServer, HttpResponse } from "../../actors/ports.ts";
import type { SimulatedCluster } from "../simulator/cluster.ts";
import { discover } from "../simulator/discovery.ts";
import { getObject } from "../simulator/get-object.ts";
import { expired, list } from "../simulator/listing.ts";
import { routeOf } from "../simulator/route.ts";
import type { Route } from "../simulator/route.ts";
import type { ApiAnswer } from "../simulator/status.ts";
import { failure } from "../simulator/status.ts";
import { Watch } from "../simulator/watching.ts";
import type { ApiCall } from "./calls.ts";
import type { Dice } from "./dice.ts";
import { Pipe } from "./pipe.ts";
import { pause } from "./process-ports.ts";
import type { Road } from "./road.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import type { Traffic } from "./traffic.ts";
import { FrameTeller, tellList, tellRefusal } from "./traffic.ts";

export interface NetworkOptions {
  readonly cluster: SimulatedCluster;
  readonly clock: SimulatedClock;
  readonly dice: Dice;
  readonly road: Road<ApiCall, HttpResponse>;
  readonly bookmarkMs: number;
  /** Its API servers know no WatchList (K44). */
  readonly old: boolean;
  readonly traffic: Traffic;
}

/** A LIST or WATCH: of two connections the load balancer may bring each to another API server. */
interface Asked extends Route {
  readonly query: URLSearchParams;
  readonly server: number;
}

const slowestRequestMs = 4;
const largestPage = 6;

export class Network implements ApiServer {
  readonly #options: NetworkOptions;
  readonly #pipes = new Set<Pipe>();
  #downs = 0;
  #stalledUntilMs = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Breaks every open watch in the middle; how many. */
  cut(): number {
    const open = [...this.#pipes];
    for (const pipe of open) pipe.end("cut");
    return open.length;
  }

  /** Breaks one of them. */
  cutOne(dice: Dice): number {
    const open = [...this.#pipes];
    open[dice.below(open.length)]?.end("cut");
    return Math.min(open.length, 1);
  }

  /** Nothing of a watch arrives for a while. */
  stall(ms: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#options.clock.monotonicMs() + ms);
  }

  /** Refuses connections and breaks those that are open, until what it returns is called. */
  goDown(): () => void {
    this.#downs += 1;
    this.cut();
    return () => (this.#downs -= 1);
  }

  get down(): boolean {
    return this.#downs > 0;
  }

  async request({ path }: { readonly path: string }, signal: AbortSignal): Promise<HttpResponse> {
    const { clock, dice, road } = this.#options;
    await pause(clock, dice.below(slowestRequestMs));
    if (this.#downs > 0 || signal.aborted) throw refused();
    return await road.pass({ url: new URL(path, "https://localhost"), signal }, async (call) => this.#answer(call));
  }

  /** As the server's own answer. */
  whole({ status, body }: ApiAnswer): HttpResponse {
    return { status, headers: {}, body: pieces(Buffer.from(body), this.#options.dice) };
  }

  /** What a watch at a version that is gone is answered (K26). */
  expired(url: URL, inStream: boolean): HttpResponse {
    const { cluster, traffic } = this.#options;
    const { status, body } = expired(Number(url.searchParams.get("resourceVersion")), cluster.store.compacted);
    const typeKey = routeOf(cluster, url.pathname)?.type.key;
    if (typeKey !== undefined) tellRefusal(traffic, typeKey, body);
    return this.whole(inStream ? inErrorFrame(body) : { status, body });
  }

  #answer({ url, signal }: ApiCall): HttpResponse {
    const { cluster, dice, old, traffic } = this.#options;
    const discovered = discover(cluster.types, url.pathname);
    if (discovered !== null) return this.whole(discovered);
    const route = routeOf(cluster, url.pathname);
    if (route === null) return this.whole(failure("NotFound", "the server could not find the requested resource"));
    if (route.name !== "") return this.whole(getObject(cluster, route));
    const asked = { ...route, query: url.searchParams, server: dice.below(cluster.servers.length) };
    if (isWatch(url)) return old && isWatchList(url) ? this.whole(unknownOption) : this.#watch(asked, signal);
    const answer = list(cluster, { ...asked, query: this.#shortPages(url.searchParams) });
    tellList(traffic, route.type.key, url.searchParams, answer);
    return this.whole(answer);
  }

  /** A page may hold less than was asked for. */
  #shortPages(query: URLSearchParams): URLSearchParams {
    const limit = Number(query.get("limit") ?? "0");
    const asked = new URLSearchParams(query);
    if (limit > 0) asked.set("limit", String(Math.min(limit, 1 + this.#options.dice.below(largestPage))));
    return asked;
  }

  #watch(asked: Asked, signal: AbortSignal): HttpResponse {
    const { cluster, clock, dice, bookmarkMs, traffic } = this.#options;
    const frames = new FrameTeller(traffic, asked.type.key, asked.query);
    const onRead = frames.tell.bind(frames);
    const pipe = new Pipe({ clock, dice, heldUntilMs: () => this.#stalledUntilMs, onRead });
    const watch = new Watch({ ...asked, cluster, clock, bookmarkMs, sink: pipe });
    this.#pipes.add(pipe);
    const abort = (): void => pipe.end("cut");
    pipe.closed = (): void => {
      watch[Symbol.dispose]();
      this.#pipes.delete(pipe);
      signal.removeEventListener("abort", abort);
    };
    signal.addEventListener("abort", abort, { once: true });
    watch.start();
    return { status: 200, headers: {}, body: pipe };
  }
}

export function isWatch({ searchParams }: URL): boolean {
  return searchParams.get("watch") === "true";
}

function isWatchList({ searchParams }: URL): boolean {
  return searchParams.get("sendInitialEvents") === "true";
}

function inErrorFrame(status: string): ApiAnswer {
  return { status: 200, body: `{"type":"ERROR","object":${status.trim()}}\n` };
}

const unknownOption = inErrorFrame(failure("InternalError", "sendInitialEvents is not to be had here").body);

function refused(): Error {
  return Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
}

async function* pieces(bytes: Buffer, dice: Dice): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const next = Math.min(bytes.length, at + 1 + dice.below(bytes.length));
    yield Buffer.from(bytes.subarray(at, next));
    at = next;
  }
}
