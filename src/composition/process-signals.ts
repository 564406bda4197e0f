/**
 * Ctrl-C and a polite kill become an AbortSignal: time for an orderly end. The second one ends the process at once, and so does
 * the end of the patience: nothing that is committed is lost, and nobody has to look for a process that hangs.
 */

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

/** More than `--drain-seconds` may ask for. */
const patienceMs = 60_000;
const names = ["SIGINT", "SIGTERM"] as const;

/** `announce` is told at the first signal what a second one does. */
export function interruptOf(source: SignalSource, announce: (line: string) => void): Interrupt {
  const controller = new AbortController();
  let patience: NodeJS.Timeout | undefined;
  const listeners = names.map((name) => {
    const listener = (): void => {
      if (controller.signal.aborted) {
        source.exit(128 + constants.signals[name]);
        return;
      }
      announce("Stopping in an orderly way; once more ends at once (nothing committed is lost).");
      patience = setTimeout(() => {
        announce(`Still not at an end after ${patienceMs / 1000} s: ending now (nothing committed is lost).`);
        source.exit(1);
      }, patienceMs);
      patience.unref();
      controller.abort(new DOMException(name, "AbortError"));
    };
    source.on(name, listener);
    return { name, listener };
  });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(patience);
      for (const { name, listener } of listeners) source.off(name, listener);
    },
  };
}
