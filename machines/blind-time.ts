/** A time in which changes may have gone without an author, since reviews did not reach kubescribe. Never one of missing changes. */

export interface BlindTime {
  /** Wall clock, ms since 1970. */
  readonly fromMs: number;
  /** Null: it goes on. The same as `fromMs`: a moment at which less was to be seen from then on. */
  readonly toMs: number | null;
  /** At least one; each code once. */
  readonly reasons: readonly BlindReason[];
}

export interface BlindReason {
  /** `webhook-missing`: the same for the same cause, whatever the names in it. */
  readonly code: string;
  /** What a person reads behind a colon: `the webhook configuration was missing`. May hold names that users chose. */
  readonly message: string;
}

/** Both as one: where there is no room for two, rather a blind time too long than one that nobody tells of. */
function joinedTimes(a: BlindTime, b: BlindTime): BlindTime {
  const toMs = a.toMs === null || b.toMs === null ? b.toMs : Math.max(a.toMs, b.toMs);
  return { fromMs: Math.min(a.fromMs, b.fromMs), toMs, reasons: joinedReasons(a.reasons, b.reasons) };
}

/** Of each code the first. */
export function joinedReasons(known: readonly BlindReason[], more: readonly BlindReason[]): readonly BlindReason[] {
  const codes = new Set(known.map(({ code }) => code));
  return [...known, ...more.filter(({ code }) => !codes.has(code))];
}

/** So many times wait for a branch at most that takes none; what comes then is joined with the last. */
const waitingTimes = 100;

export function addTime(waiting: BlindTime[], time: BlindTime): void {
  const last = waiting.at(-1);
  if (waiting.length < waitingTimes || last === undefined) waiting.push(time);
  else waiting[waiting.length - 1] = joinedTimes(last, time);
}
