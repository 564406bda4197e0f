/** The answer to a review that only asks whether reviews arrive. */

import { reachWarning } from "../../machines/webhook-credentials.ts";

/** Nothing of it is recorded. A body that is no review gets an answer that is of no use to anybody. */
export function reachAnswer(body: Uint8Array): string {
  let asked: Asked = {};
  try {
    asked = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()) as Asked;
  } catch {
    // As said.
  }
  const { apiVersion, kind, request } = asked;
  const response = { uid: request?.uid ?? "", allowed: true, warnings: [reachWarning] };
  return JSON.stringify({ apiVersion, kind, response });
}

interface Asked {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly request?: { readonly uid?: string };
}
