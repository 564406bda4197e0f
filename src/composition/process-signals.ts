/** Ctrl-C and a polite kill become an AbortSignal: time for an orderly end. The second one ends the process at once. */

import { constants } from "node:os";

/** The part of `process` that is needed. */
export interface SignalSource {
  on(name: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(name: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  exit(code: number): void;
}

export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

const names = ["SIGINT", "SIGTERM"] as const;

/** `announce` is told at the first signal what a second one does. */
export function interruptOf(source: SignalSource, announce: (line: string) => void): Interrupt {
  const controller = new AbortController();
  const listeners = names.map((name) => {
    const listener = (): void => {
      if (controller.signal.aborted) {
        source.exit(128 + constants.signals[name]);
        return;
      }
      announce("Stopping in an orderly way; once more ends at once (nothing committed is lost).");
      controller.abort(new DOMException(name, "AbortError"));
    };
    source.on(name, listener);
    return { name, listener };
  });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) source.off(name, listener);
    },
  };
}
