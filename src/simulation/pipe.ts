/** One watch's bytes on their way. Owns what was sent and did not arrive yet. */

import type { Clock } from "../../actors/ports.ts";
import type { Dice } from "./dice.ts";
import { pause } from "./process-ports.ts";

export interface PipeOptions {
  readonly clock: Clock;
  readonly dice: Dice;
  /** Nothing arrives before that. */
  readonly heldUntilMs: () => number;
  /** Called with each frame before its last byte is read. */
  readonly onRead: (frame: string) => void;
}

interface Frame {
  readonly text: string;
  readonly bytes: Buffer;
}

const quickMs = 8;
const slowChunks = 0.05;
const slowestChunkMs = 400;

export class Pipe implements AsyncIterable<Uint8Array> {
  readonly #options: PipeOptions;
  /** Those of which a part is still to be read. */
  #frames: Frame[] = [];
  #readOfFirst = 0;
  /** To be read. */
  #bytes = 0;
  #ended: "done" | "cut" | null = null;
  #arrived: () => void = () => undefined;
  closed: () => void = () => undefined;

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  readonly backlogBytes = (): number => 0;

  readonly write = (text: string): void => {
    const bytes = Buffer.from(text);
    this.#frames.push({ text, bytes });
    this.#bytes += bytes.length;
    this.#arrived();
  };

  /** A cut, at any byte, loses what is behind it. */
  readonly end = (how: "done" | "cut"): void => {
    if (this.#ended !== null) return;
    this.#ended = how;
    if (how === "cut") this.#bytes = this.#options.dice.below(this.#bytes + 1);
    this.#arrived();
    this.closed();
  };

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { clock, dice, heldUntilMs } = this.#options;
    try {
      for (;;) {
        while (this.#bytes === 0 && this.#ended === null) await this.#more();
        await pause(clock, dice.below(dice.chance(slowChunks) ? slowestChunkMs : quickMs));
        while (this.#ended !== "cut" && clock.monotonicMs() < heldUntilMs()) {
          await pause(clock, heldUntilMs() - clock.monotonicMs());
        }
        if (this.#bytes === 0 && this.#ended !== null) break;
        yield this.#take(dice.chance(0.5) ? this.#bytes : 1 + dice.below(this.#bytes));
      }
      if (this.#ended === "cut") throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
    } finally {
      this.end("cut");
    }
  }

  /** Bytes of their own: whoever holds on to them must not see what is written later. */
  #take(length: number): Buffer {
    const taken = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const [first] = this.#frames;
      if (first === undefined) break;
      const copied = first.bytes.copy(taken, filled, this.#readOfFirst);
      filled += copied;
      this.#readOfFirst += copied;
      if (this.#readOfFirst < first.bytes.length) break;
      this.#frames.shift();
      this.#readOfFirst = 0;
      this.#options.onRead(first.text);
    }
    this.#bytes -= length;
    return taken;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }
}
