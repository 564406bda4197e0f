/** A WatchSource that a test answers by hand: each request waits until the test says what comes of it. */

import type { Faulted, ListMatch, StreamReceiver, StreamRequest, WatchSource } from "../../actors/watch-source.ts";
import type { ResourceVersion, WatchEvent } from "../../machines/messages.ts";
import { faultOf } from "../../machines/watch-fault.ts";
import type { FaultKind } from "../../machines/watch-fault.ts";
import { settled } from "../../src/simulation/simulated-clock.ts";

interface Asked<Request, Answer> {
  readonly request: Request;
  readonly signal: AbortSignal;
  answer(answer: Answer | Faulted): Promise<void>;
  fault(kind: FaultKind, retryAfterMs?: number): Promise<void>;
  crash(error: Error): Promise<void>;
}

type Counted = { readonly kind: "counted"; readonly version: ResourceVersion };
type Listed = { readonly kind: "listed"; readonly version: ResourceVersion; readonly items: readonly WatchEvent[] };
type Ended = { readonly kind: "ended" };
export type AskedVersion = Asked<null, Counted> & { readonly method: "version" };
export type AskedList = Asked<ListMatch, Listed> & { readonly method: "list" };
export type AskedStream = Asked<StreamRequest, Ended> & {
  readonly method: "stream";
  readonly receiver: StreamReceiver;
};

export class FakeWatchSource implements WatchSource {
  /** Not answered yet, in order. */
  readonly #open: (AskedVersion | AskedList | AskedStream)[] = [];
  /** Every request so far, for a test to read: `version`, `list exact 5`, `stream from 7`, `stream latest`. */
  readonly asked: string[] = [];

  version(_type: unknown, signal: AbortSignal): Promise<Counted | Faulted> {
    const [asked, promise] = ask<null, Counted>(null, signal);
    this.asked.push("version");
    this.#open.push({ ...asked, method: "version" });
    return promise;
  }

  list(_type: unknown, request: ListMatch, signal: AbortSignal): Promise<Listed | Faulted> {
    const [asked, promise] = ask<ListMatch, Listed>(request, signal);
    this.asked.push(`list ${describe(request)}`);
    this.#open.push({ ...asked, method: "list" });
    return promise;
  }

  stream(
    _type: unknown,
    request: StreamRequest,
    receiver: StreamReceiver,
    signal: AbortSignal,
  ): Promise<Ended | Faulted> {
    const [asked, promise] = ask<StreamRequest, Ended>(request, signal);
    const { begin } = request;
    this.asked.push("from" in begin ? `stream from ${begin.from}` : `stream ${describe(begin.initial)}`);
    this.#open.push({ ...asked, method: "stream", receiver });
    return promise;
  }

  async nextVersion(): Promise<AskedVersion> {
    const asked = await this.#next();
    if (asked.method !== "version") throw new Error(`Asked for ${asked.method}, not for the version.`);
    return asked;
  }

  async nextList(): Promise<AskedList> {
    const asked = await this.#next();
    if (asked.method !== "list") throw new Error(`Asked for ${asked.method}, not for a list.`);
    return asked;
  }

  async nextStream(): Promise<AskedStream> {
    const asked = await this.#next();
    if (asked.method !== "stream") throw new Error(`Asked for ${asked.method}, not for a stream.`);
    return asked;
  }

  async #next(): Promise<AskedVersion | AskedList | AskedStream> {
    await settled();
    const asked = this.#open.shift();
    if (asked === undefined) throw new Error(`Nothing is asked; so far: ${this.asked.join(", ")}`);
    return asked;
  }
}

function ask<Request, Answer>(
  request: Request,
  signal: AbortSignal,
): [Asked<Request, Answer>, Promise<Answer | Faulted>] {
  const { promise, resolve, reject } = Promise.withResolvers<Answer | Faulted>();
  const broken = (): void => resolve({ kind: "faulted", fault: faultOf("broken", "aborted") });
  signal.addEventListener("abort", broken, { once: true });
  if (signal.aborted) broken();
  const answer = async (value: Answer | Faulted): Promise<void> => {
    resolve(value);
    await settled();
  };
  return [
    {
      request,
      signal,
      answer,
      fault: (kind, retryAfterMs = 0) => answer({ kind: "faulted", fault: faultOf(kind, "", retryAfterMs) }),
      crash: async (error) => {
        reject(error);
        await settled();
      },
    },
    promise,
  ];
}

function describe(match: ListMatch): string {
  return match.match === "latest" ? "latest" : `${match.match} ${match.version}`;
}
