/** One run as it is ordered, and what it came to. Both can be sent from thread to thread. */

export interface Job {
  readonly seed: number;
  /** Persisted changes after which nothing more is asked for. */
  readonly changes: number;
  /** Names of the catalogue; null: the seed draws them. */
  readonly faults: readonly string[] | null;
  readonly rates: FaultRates;
  readonly attribution: "exact" | "fifo";
  readonly ingestion: "correlate" | "dual";
  /** The steps that are played, the others are only waited for; null: all of them. */
  readonly only: readonly number[] | null;
  /** Every line is kept for a reader, not just the last ones. */
  readonly traced: boolean;
}

export interface FaultRates {
  /** One step in so many is a fault, where all of them are on. */
  readonly every: number;
  /** How often each comes among the others, by its name; those that are left out as in the catalogue. */
  readonly weights: Readonly<Record<string, number>>;
}

export const usualRates: FaultRates = { every: 15, weights: {} };

export interface Report {
  readonly seed: number;
  readonly faults: readonly string[];
  /** How often each befell. */
  readonly befell: Readonly<Record<string, number>>;
  readonly steps: number;
  readonly requests: number;
  readonly changes: number;
  readonly commits: number;
  readonly tiers: Readonly<Record<string, number>>;
  /** Settled by another's review while the writer's own never came. */
  readonly planted: number;
  readonly simulatedMs: number;
  /** Equal where everything happened in the same order. */
  readonly events: string;
  /** Commit id by repository. */
  readonly heads: Readonly<Record<string, string>>;
  readonly broken: readonly string[];
  /** What was said and done, the last lines of it or all of them. */
  readonly trace: readonly string[];
}
