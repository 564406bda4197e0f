/**
 * The credentials of the webhook, and how one generation of them follows another without a review lost. Pure; texts are PEM.
 *
 * A generation is one certificate authority, the only certificate that it ever signed, and one path. All three are renewed together:
 * one way, walked each time, instead of a rare one for the authority that nobody has tried.
 *
 * C1 Phases follow each other: steady, widened, moved, steady. In `widened` the next generation is trusted and its path taken, and
 *    nobody uses it yet; in `moved` it is used, and the former is still trusted and taken.
 * C2 So whoever is one phase behind or ahead of somebody else understands him. Who writes the phases sees to it that nobody is
 *    further away than that (certificate-plan.ts).
 */

export interface Generation {
  /** Certificate of the authority. Its key is gone: it signed once. */
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
  /** Reviews are posted here: `/correlate/SEGMENT`. */
  readonly path: string;
  /** Wall clock, ms since 1970: the end of both certificates. */
  readonly notAfterMs: number;
}

/** What is left of a generation that nobody shows any more. */
export type FormerGeneration = Pick<Generation, "caPem" | "path">;

export type WebhookCredentials =
  | { readonly phase: "steady"; readonly current: Generation }
  | { readonly phase: "widened"; readonly current: Generation; readonly next: Generation }
  | { readonly phase: "moved"; readonly former: FormerGeneration; readonly current: Generation };

/** Whoever takes reviews at a path answers here that he would: with a warning of this text, which the API server hands on. */
export const reachSuffix = "/reach";
export const reachWarning = "kubescribe: this review arrived";

/** What a process shows, takes and asks for under credentials. */
export interface ShownCredentials {
  readonly certPem: string;
  readonly keyPem: string;
  readonly notAfterMs: number;
  /** The authority of `certPem`. */
  readonly caPem: string;
  /** Who calls trusts all of these. */
  readonly trusted: readonly string[];
  /** Reviews are taken at all of these. */
  readonly paths: readonly string[];
  /** Who calls, calls this one. */
  readonly path: string;
}

export function shownOf(credentials: WebhookCredentials): ShownCredentials {
  const { certPem, keyPem, notAfterMs, caPem, path } = credentials.current;
  const generations = generationsOf(credentials);
  const trusted = generations.map((each) => each.caPem);
  const paths = generations.map((each) => each.path);
  return { certPem, keyPem, notAfterMs, caPem, trusted, paths, path };
}

/** Oldest first. */
export function generationsOf(credentials: WebhookCredentials): readonly FormerGeneration[] {
  switch (credentials.phase) {
    case "steady":
      return [credentials.current];
    case "widened":
      return [credentials.current, credentials.next];
    case "moved":
      return [credentials.former, credentials.current];
    default:
      return credentials satisfies never;
  }
}

export function widened(
  { current }: Extract<WebhookCredentials, { readonly phase: "steady" }>,
  next: Generation,
): WebhookCredentials {
  return { phase: "widened", current, next };
}

/** From `widened` to `moved`, and from there to `steady`. */
export function advanced(credentials: Exclude<WebhookCredentials, { readonly phase: "steady" }>): WebhookCredentials {
  const { current } = credentials;
  if (credentials.phase === "moved") return { phase: "steady", current };
  return { phase: "moved", former: { caPem: current.caPem, path: current.path }, current: credentials.next };
}
