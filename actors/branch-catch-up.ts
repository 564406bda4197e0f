/** Owns the stream of a branch's catch-up: at most one is open, and none says anything after it was closed. */

import type { CatchUpStart } from "../machines/branch-detachments.ts";
import { KubescribeError } from "../machines/error.ts";
import type { WatchMessage } from "../machines/messages.ts";
import type { CatchUp } from "./branch-options.ts";

export interface CatchUpListener {
  readonly onMessage: (message: WatchMessage) => void;
  /** It broke off by itself. */
  readonly onFailure: (start: CatchUpStart, error: unknown) => void;
}

export class CatchUpStream {
  readonly #catchUp: CatchUp;
  readonly #listener: CatchUpListener;
  #open: AbortController | null = null;

  constructor(catchUp: CatchUp, listener: CatchUpListener) {
    this.#catchUp = catchUp;
    this.#listener = listener;
  }

  /** Resolves once the stream is over, however it ended. */
  async run(start: CatchUpStart): Promise<void> {
    this.close();
    const controller = new AbortController();
    const { signal } = controller;
    this.#open = controller;
    const sink = (message: WatchMessage): void => {
      if (!signal.aborted) this.#listener.onMessage(message);
    };
    try {
      await this.#catchUp(start, sink, signal);
      if (signal.aborted) return;
      const message = `the catch-up watch of ${start.typeKey} should go on until it is closed, and ended by itself`;
      throw new KubescribeError("catch-up-ended", message, { retry: "backoff" });
    } catch (error) {
      if (!signal.aborted) this.#listener.onFailure(start, error);
    }
  }

  close(): void {
    this.#open?.abort();
    this.#open = null;
  }
}
