/** What the errors of sockets, names and certificates mean. */

import { remoteError } from "./remote-error.ts";
import { wordsOf } from "./words.ts";

/** Codes of OpenSSL and of Node's own check of names. */
const certificateCode =
  /^(?:EPROTO$|ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|ERROR_IN_CERT)/;
const lostCode = /^(?:ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE)/;

/** `underWay`: something that matters was sent, so that a lost connection leaves its outcome open. */
export function connectionError(
  error: unknown,
  { shown, underWay }: { readonly shown: string; readonly underWay: boolean },
): Error {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  // Messages of the parser and of proxies can hold what was received; none of them what was sent.
  const words = error instanceof Error ? wordsOf(error.message, []) : "an error";
  const what = code !== "" && !words.includes(code) ? `${words} (${code})` : words;
  if (certificateCode.test(code)) {
    return remoteError(
      "untrusted",
      `TLS with ${shown} fails: ${what}. Expected a certificate for the name in the URL, signed by a CA that is trusted here or stands in ` +
        "ca.crt of the Secret",
      error,
    );
  }
  if (code.startsWith("HPE_")) {
    return remoteError("malformed", `${shown} should speak HTTP and answers with something else: ${what}`, error);
  }
  if (underWay && (lostCode.test(code) || code === "")) {
    return remoteError("cut", `the connection to ${shown} was lost: ${what}`, error);
  }
  return remoteError("unreachable", `${shown} cannot be reached: ${what}`, error);
}
