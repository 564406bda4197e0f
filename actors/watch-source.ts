/** What a watch needs of the API server: three requests, answered with data. src/kubernetes implements it, fakes do in tests. */

import type { ResourceType, ResourceVersion, WatchEvent } from "../machines/messages.ts";
import type { WatchFault } from "../machines/watch-fault.ts";

export type Faulted = { readonly kind: "faulted"; readonly fault: WatchFault };

export type ListMatch =
  | { readonly match: "latest" }
  | { readonly match: "exact" | "not-older"; readonly version: ResourceVersion };

export interface StreamRequest {
  /** Go on behind a version, or begin with the whole state (WatchList). */
  readonly begin: { readonly from: ResourceVersion } | { readonly initial: ListMatch };
  /** After so long the server ends the stream (K25). */
  readonly timeoutSeconds: number;
}

/** Called synchronously, in the order of the bytes (K30). What it throws ends the request and is thrown by it. */
export interface StreamReceiver {
  event(event: WatchEvent): void;
  /** `initialEnd`: the initial events are complete. */
  bookmark(version: ResourceVersion, initialEnd: boolean): void;
  /** Bytes came and all that was complete in them has been passed on. */
  alive(): void;
}

/**
 * Every method ends soon after `signal` is aborted. Whatever the server or the network does is an answer; only bugs, and what
 * a receiver throws, are thrown.
 */
export interface WatchSource {
  /** Where the server counts now, by quorum: a LIST of one item without a resourceVersion (K48). */
  version(
    type: ResourceType,
    signal: AbortSignal,
  ): Promise<{ readonly kind: "counted"; readonly version: ResourceVersion } | Faulted>;
  /** A complete list by pages. */
  list(
    type: ResourceType,
    request: ListMatch & { readonly alive: () => void },
    signal: AbortSignal,
  ): Promise<
    | {
        readonly kind: "listed";
        readonly version: ResourceVersion;
        readonly items: readonly WatchEvent[];
      }
    | Faulted
  >;
  stream(
    type: ResourceType,
    request: StreamRequest,
    receiver: StreamReceiver,
    signal: AbortSignal,
  ): Promise<{ readonly kind: "ended" } | Faulted>;
}
