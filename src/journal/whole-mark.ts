/**
 * An empty file that stands in the journal's directory while nothing is missing that the segments do not tell of. What could not be
 * written cannot be written down either on a full disk; but a file can be removed. Owns that file.
 *
 * W1 When `settle(false)` resolves, the next process knows of the loss, or `journal_errors` was counted.
 * W2 A mark that is missing for no reason (new directory, crash at the wrong moment) costs authors, and names nobody wrongly.
 */

import type { FileSystem, Log, Meter } from "../../actors/ports.ts";
import { codeOf } from "./segments.ts";

export interface WholeMarkOptions {
  readonly directory: string;
  readonly files: FileSystem;
  readonly meter: Meter;
  readonly log: Log;
  readonly sync: boolean;
}

export const wholeMarkName = "whole";

export class WholeMark {
  readonly #options: WholeMarkOptions;
  #stands: boolean;
  #wanted: boolean;
  #work: Promise<void> = Promise.resolve();

  constructor(options: WholeMarkOptions, stands: boolean) {
    this.#options = options;
    this.#stands = stands;
    this.#wanted = stands;
  }

  /** Never rejects. */
  settle(whole: boolean): Promise<void> {
    if (whole === this.#wanted) return this.#work;
    this.#wanted = whole;
    this.#work = this.#work.then(() => this.#settle());
    return this.#work;
  }

  async #settle(): Promise<void> {
    const { directory, files, meter, log, sync } = this.#options;
    const path = `${directory}/${wholeMarkName}`;
    const wanted = this.#wanted;
    if (wanted === this.#stands) return;
    try {
      if (wanted) await (await files.open(path, "append"))[Symbol.asyncDispose]();
      else await files.remove(path);
      this.#stands = wanted;
      if (sync) await files.syncDirectory(directory);
    } catch (error) {
      // Asked for again with the next write.
      this.#wanted = this.#stands;
      if (wanted) return;
      meter.count("journal_errors", { kind: "mark" });
      log.warn("The journal cannot be marked as having gaps; after a crash now, some authors may be wrong.", {
        path,
        error: codeOf(error),
      });
    }
  }
}
