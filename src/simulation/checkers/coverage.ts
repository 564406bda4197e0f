/** Coverage: a history tells of every time in which no review was taken, once, and calls no other time blind. */

import type { Circumstances } from "./circumstances.ts";
import type { Findings } from "./findings.ts";
import type { HistoryCommit } from "./git-reader.ts";
import type { Sight } from "./sights.ts";

/** Between two signs of life, and a bit: what came after the last one may be called blind. */
const inexactMs = 6_000;

export function isCoverage({ trailers }: HistoryCommit): boolean {
  return trailers.get("Kubescribe-Kind")?.[0] === "coverage";
}

export class CoverageCheck {
  readonly #findings: Findings;
  readonly #around: Circumstances;
  readonly #told = new Set<string>();
  readonly #claims: Sight[] = [];
  /** Nothing is told of the time before. */
  #begunMs = Number.POSITIVE_INFINITY;

  constructor(findings: Findings, around: Circumstances) {
    this.#findings = findings;
    this.#around = around;
  }

  /** The target has this commit. */
  begun({ committedAt }: HistoryCommit): void {
    this.#begunMs = Math.min(this.#begunMs, (committedAt + 1) * 1000);
  }

  see({ trailers, files, subject }: HistoryCommit): void {
    const first = (key: string): string => trailers.get(`Kubescribe-Blind-${key}`)?.[0] ?? "";
    const [from, to] = [first("From"), first("To")];
    if (files.length > 0) this.#findings.break(`coverage: it changes files (${subject})`);
    if (first("Reason") === "") this.#findings.break(`coverage: it has no reason (${subject})`);
    if (this.#told.has(`${from} ${to}`)) this.#findings.break(`coverage: told twice (${subject})`);
    this.#told.add(`${from} ${to}`);
    const fromMs = Date.parse(from);
    const toMs = to === "" ? fromMs : Date.parse(to);
    if (Number.isNaN(fromMs) || !(toMs >= fromMs)) this.#findings.break(`coverage: ${from} to ${to} (${subject})`);
    this.#claims.push({ fromMs, toMs });
  }

  end(): void {
    const { sights } = this.#around;
    for (const gap of sights.gaps) if (!this.#isTold(gap)) this.#findings.break(`coverage: not told: ${text(gap)}`);
    for (const claim of this.#claims) {
      const seenMs = Math.max(0, ...sights.sights.map((sight) => overlapMs(claim, sight)));
      const allowedMs = inexactMs + sights.jumpedMs;
      // Without a sign of life the last one before it counts.
      if (seenMs > allowedMs && !sights.refusedIn({ ...claim, fromMs: claim.fromMs - inexactMs }))
        this.#findings.break(`coverage: called blind for ${Math.round(seenMs)} ms of sight: ${text(claim)}`);
    }
  }

  #isTold(gap: Sight): boolean {
    const { sights } = this.#around;
    const slackMs = 1 + sights.jumpedMs;
    if (gap.fromMs < this.#begunMs + slackMs || gap.toMs <= gap.fromMs) return true;
    // The first process of all found no room to say that it lived.
    if (sights.refusedIn({ fromMs: Number.NEGATIVE_INFINITY, toMs: gap.fromMs })) return true;
    return this.#claims.some(
      ({ fromMs, toMs }) => fromMs <= gap.fromMs + slackMs && toMs >= Math.floor(gap.toMs) - slackMs,
    );
  }
}

function overlapMs(a: Sight, b: Sight): number {
  return Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs);
}

function text({ fromMs, toMs }: Sight): string {
  return `${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}`;
}
