/** The machine's disk: files in memory, and for how long what of them fails. */

import type { Random } from "../../actors/ports.ts";
import type { FileFailure, PartWritten } from "./memory-file-system.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

export interface Trouble {
  readonly code: FileFailure;
  readonly under: string;
  readonly calls: RegExp;
  /** Of the calls that it concerns. */
  readonly probability: number;
  readonly forMs: number;
  readonly random: Random;
  /** A write that finds no room leaves a part of it. */
  readonly leavesPart: boolean;
  /** Told of each call that failed. */
  readonly struck: () => void;
}

export class Disk {
  readonly files: MemoryFileSystem;
  readonly #clock: SimulatedClock;
  readonly #onFailure: (path: string) => void;
  #troubles: (Trouble & { readonly untilMs: number })[] = [];
  #torn = false;

  constructor(clock: SimulatedClock, onFailure: (path: string) => void = () => undefined) {
    this.#clock = clock;
    this.#onFailure = onFailure;
    this.files = new MemoryFileSystem(clock);
    this.#watch();
  }

  /** What a crash leaves. `kept`: how much of what was not synced a loss of power spares. */
  restart(loss: "process" | "power", kept: Random): void {
    this.#torn = false;
    this.files.restart(loss, kept);
    this.#watch();
  }

  trouble(trouble: Trouble): void {
    this.#troubles.push({ ...trouble, untilMs: this.#clock.monotonicMs() + trouble.forMs });
  }

  heal(): void {
    this.#troubles = [];
  }

  /** The next write ends in its middle. */
  tearNext(): void {
    this.#torn = true;
  }

  #watch(): void {
    this.files.inject({ at: (_call, name, path) => this.#failureAt(name, path) });
  }

  #failureAt(name: string, path: string): FileFailure | PartWritten | "torn" | null {
    if (this.#torn && name === "write") {
      this.#torn = false;
      return "torn";
    }
    if (this.#troubles.length === 0) return null;
    const nowMs = this.#clock.monotonicMs();
    this.#troubles = this.#troubles.filter(({ untilMs }) => untilMs > nowMs);
    const met = this.#troubles.find(({ under, calls }) => path.startsWith(under) && calls.test(name));
    if (met === undefined || met.random() >= met.probability) return null;
    met.struck();
    this.#onFailure(path);
    if (met.code !== "ENOSPC" || !met.leavesPart) return met.code;
    return { code: met.code, part: met.random() };
  }
}
