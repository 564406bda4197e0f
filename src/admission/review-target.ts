/** Which requests are reviews: the one decision that keeps others out. */

/** POST to the admission path; the API server appends `?timeout=10s`. */
export function isReviewRequest(
  { method, url }: { readonly method: string | undefined; readonly url: string },
  path: string,
): boolean {
  const query = url.indexOf("?");
  return method === "POST" && (query < 0 ? url : url.slice(0, query)) === path;
}
