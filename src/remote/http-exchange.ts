/** One request on node:http or node:https: sends while it receives, and says why it failed. */

import * as http from "node:http";
import * as https from "node:https";
import type { RequestBody } from "./conversation.ts";
import { remoteError } from "./remote-error.ts";
import { connectionError } from "./connection-error.ts";
import { pump } from "./pump.ts";
import type { Watchdog } from "./watchdog.ts";

export interface HttpExchange {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: http.Agent;
  readonly body: RequestBody | null;
  readonly watchdog: Watchdog;
  readonly signal: AbortSignal;
  /** Of the remote, for messages. */
  readonly shown: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly location: string;
  readonly encoding: string;
  /** Throws `remote-cut`, the signal's reason, or what made sending fail. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Resolves when the answer's head is there, while the body may still be on its way out: a server may talk while it listens. An answer
 * of 300 or more ends the sending. Throws what `connectionError` makes of an error, or the signal's reason.
 */
export async function exchange(options: HttpExchange): Promise<HttpAnswer> {
  const { url, watchdog, signal, body } = options;
  const { request: begin } = url.protocol === "http:" ? http : https;
  const sent = begin(url, {
    method: options.method,
    agent: options.agent,
    signal,
    headers: { ...options.headers, ...(body === null ? {} : { "content-length": String(body.sizeBytes) }) },
  });
  const failure: { error: unknown } = { error: null };
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const explain = (error: unknown): unknown => {
    if (signal.aborted) return signal.reason;
    return failure.error ?? connectionError(error, { shown: options.shown, underWay: body !== null });
  };
  sent.once("response", resolve);
  sent.once("socket", (socket) => {
    // One that was used before, or through a proxy, is there already.
    if (!socket.connecting) watchdog.touch();
    else socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => watchdog.touch());
  });
  // After the response, too: then it is the body's to tell.
  sent.on("error", (error) => {
    reject(explain(error));
  });
  if (body === null) sent.end();
  else {
    void pump(body, sent, { stop: unwanted(sent), watchdog }).catch((error: unknown) => {
      failure.error = error;
      sent.destroy();
      reject(error);
    });
  }
  const response = await promise;
  watchdog.reach();
  return {
    status: response.statusCode ?? 0,
    contentType: (response.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "",
    location: response.headers.location ?? "",
    encoding: response.headers["content-encoding"] ?? "identity",
    body: received(response, watchdog, explain),
  };
}

/** Aborted once nobody takes what is sent: the connection is gone, or a refusal is there. */
function unwanted(sent: http.ClientRequest): AbortSignal {
  const controller = new AbortController();
  sent.once("response", (response) => {
    if ((response.statusCode ?? 0) >= 300) controller.abort();
  });
  sent.once("close", () => {
    controller.abort();
  });
  return controller.signal;
}

async function* received(
  response: http.IncomingMessage,
  watchdog: Watchdog,
  explain: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      watchdog.touch();
      yield chunk;
    }
  } catch (error) {
    throw explain(error);
  }
  if (!response.complete) throw remoteError("cut", "the connection to the remote ended in the middle of its answer");
}
