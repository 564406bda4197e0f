/** What to do about a failure: nothing helps; try again later; list again. */
export type Retry = "never" | "backoff" | "relist";

/** The one base error. `code` is stable and printable (`git-ref-moved`); the message says what was expected and what to do. */
export class KubescribeError extends Error {
  override readonly name = "KubescribeError";
  readonly code: string;
  readonly retry: Retry;

  constructor(code: string, message: string, options: { readonly retry: Retry; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry;
  }
}
