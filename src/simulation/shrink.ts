/**
 * Makes a failing run as short as can be: delta debugging (Zeller and Hildebrandt's ddmin) over its steps, then over the settings that
 * it began with.
 */

import { settings } from "./faults/settings.ts";
import type { Job, Report } from "./job.ts";

export interface ShrinkOptions {
  readonly play: (job: Job) => Promise<Report>;
  /** Steps played in all, and tries. */
  readonly budgetSteps: number;
  readonly budgetTries: number;
  /** Told of each try. */
  readonly tried: (steps: number) => void;
}

/** The shortest run found that breaks the same invariant, traced. */
export async function shrink(job: Job, report: Report, options: ShrinkOptions): Promise<{ job: Job; report: Report }> {
  const shrinking = new Shrinking(job, report, options);
  await shrinking.dropSteps();
  await shrinking.dropSettings();
  const shortest = { ...shrinking.job, traced: true };
  return { job: shortest, report: await options.play(shortest) };
}

class Shrinking {
  readonly #options: ShrinkOptions;
  readonly #invariant: string;
  #job: Job;
  #only: readonly number[];
  #played = 0;
  #tries = 0;

  constructor(job: Job, report: Report, options: ShrinkOptions) {
    this.#options = options;
    this.#invariant = invariantOf(report);
    this.#only = job.only ?? Array.from({ length: report.steps }, (_, at) => at + 1);
    // Named, so that one of them can be left out.
    this.#job = { ...job, faults: report.faults, only: this.#only };
  }

  get job(): Job {
    return this.#job;
  }

  async dropSteps(): Promise<void> {
    for (let pieces = 2; this.#only.length > 1 && !this.#spent;) {
      const parts = partsOf(this.#only, pieces);
      const rests = parts.length === 2 ? [] : parts.map((part) => this.#only.filter((step) => !part.includes(step)));
      const found = await this.#firstFailing([...parts, ...rests]);
      if (found >= 0) pieces = found < parts.length ? 2 : Math.max(2, parts.length - 1);
      else if (parts.length >= this.#only.length) return;
      else pieces = Math.min(this.#only.length, parts.length * 2);
    }
  }

  async dropSettings(): Promise<void> {
    for (const { name } of settings) {
      const { faults } = this.#job;
      if (faults === null || !faults.includes(name) || this.#spent) continue;
      await this.#fails({ ...this.#job, faults: faults.filter((other) => other !== name) });
    }
  }

  get #spent(): boolean {
    return this.#played >= this.#options.budgetSteps || this.#tries >= this.#options.budgetTries;
  }

  /** Its place; -1: none of them fails. */
  async #firstFailing(candidates: readonly (readonly number[])[]): Promise<number> {
    for (const [at, only] of candidates.entries()) {
      if (this.#spent) return -1;
      if (await this.#fails({ ...this.#job, only })) return at;
    }
    return -1;
  }

  /** What fails in the same way is what is shrunk from then on. */
  async #fails(job: Job): Promise<boolean> {
    const report = await this.#options.play(job);
    this.#tries += 1;
    this.#played += job.only?.at(-1) ?? 0;
    const fails = report.broken.length > 0 && invariantOf(report) === this.#invariant;
    if (fails) {
      this.#job = job;
      this.#only = job.only ?? this.#only;
    }
    this.#options.tried(this.#only.length);
    return fails;
  }
}

/** `I3`, `liveness`: what the first line begins with, behind the target's name. */
function invariantOf({ broken }: Report): string {
  return /\b(?:I\d|liveness|git)\b/.exec(broken[0] ?? "")?.[0] ?? "";
}

function partsOf(steps: readonly number[], pieces: number): readonly (readonly number[])[] {
  const count = Math.min(pieces, steps.length);
  return Array.from({ length: count }, (_, at) =>
    steps.slice(Math.floor((at * steps.length) / count), Math.floor(((at + 1) * steps.length) / count)),
  );
}
