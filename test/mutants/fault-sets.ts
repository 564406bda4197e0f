/** Faults that go together, by the names that `kubescribe simulate --faults` takes. */

export const restarts = ["crashes", "stops"] as const;
export const network = ["watch-cuts", "watch-stalls", "watch-repeats", "api-outages"] as const;
/** Writes that nobody was asked about, or too late. */
export const unheard = ["lost-reviews", "late-reviews", "webhook-outages"] as const;
