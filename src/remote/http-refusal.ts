/** What a server means that answers with something else than was asked for. */

import type { Service } from "./conversation.ts";
import type { HttpAnswer } from "./http-exchange.ts";
import { remoteError } from "./remote-error.ts";
import { wordsOf } from "./words.ts";

const pageBytes = 4 << 10;

export interface Asked {
  /** Of the remote, for messages. */
  readonly shown: string;
  readonly service: Service;
  readonly secrets: readonly string[];
  /** "kept back": we have some, and a redirect led to another host. */
  readonly credentials: "none" | "kept back" | "sent";
}

export function isExpected(answer: HttpAnswer, contentType: string): boolean {
  return answer.status === 200 && answer.contentType === contentType && answer.encoding === "identity";
}

/** Reads the beginning of the answer. */
export async function refusalOf(answer: HttpAnswer, asked: Asked): Promise<Error> {
  const { status } = answer;
  const { shown, secrets } = asked;
  const page = await beginningOf(answer.body);
  // A page is for people with a browser; words are for us.
  const found = wordsOf(answer.contentType === "text/plain" && status !== 200 ? page : "", secrets);
  const said = found === "" ? "" : `, and says ${JSON.stringify(found)}`;
  if (status === 200) return noGit(answer, asked);
  if (status === 401 || status === 403) {
    return remoteError("unauthorized", `${shown} answers ${status}${said}: ${whyUnauthorized(status, asked)}`);
  }
  if (status === 404 || status === 410) {
    const why = "there is no such repository, or these credentials may not see it";
    return remoteError("not-found", `${shown} answers ${status}${said}: ${why}`);
  }
  if (status === 413) {
    return remoteError("quota", `${shown} answers 413: the push is larger than the server takes${said}`);
  }
  if (status >= 300 && status < 400) {
    return remoteError("malformed", `${shown} answers ${status}, a redirect that is not followed: name the new URL`);
  }
  return remoteError("unreachable", `${shown} answers ${status}${said}`);
}

function noGit(answer: HttpAnswer, { shown, service, secrets }: Asked): Error {
  const found =
    answer.encoding === "identity"
      ? `answers with ${JSON.stringify(wordsOf(answer.contentType, secrets))}`
      : "compresses its answer, unasked";
  return remoteError(
    "malformed",
    `${shown} should speak Git's smart HTTP protocol (${service}) and ${found}: a "dumb" server of files cannot be pushed to; ` +
      "look whether the URL names the repository itself",
  );
}

function whyUnauthorized(status: number, { credentials }: Asked): string {
  if (credentials === "none") return "it wants credentials: put username and password, or a token, into the Secret";
  if (credentials === "kept back") {
    return "it redirected to another host, which gets no credentials: name that host in the URL";
  }
  return status === 401 ? "the credentials are wrong or have expired" : "the credentials do not allow this";
}

/** Ends the answer: what is behind it is not read. */
export async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(Buffer.from(chunk));
      bytes += chunk.length;
      if (bytes >= pageBytes) break;
    }
  } catch {
    // The status has said enough.
  }
  return Buffer.concat(chunks).toString("utf8", 0, pageBytes);
}
