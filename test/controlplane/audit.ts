/** The audit log: the nearest thing to the truth (K38 says how near). */

import { createReadStream } from "node:fs";

import type { JsonObject } from "./api-client.ts";

const readBytes = 1_048_576;

/** The parts of an audit.k8s.io/v1 Event that tests read. */
export interface AuditEvent {
  readonly auditID: string;
  readonly stage: "ResponseComplete" | "ResponseStarted" | "Panic";
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly impersonatedUser?: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly uid?: string;
    readonly apiGroup?: string;
    readonly apiVersion?: string;
    readonly resourceVersion?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number; readonly reason?: string };
  readonly requestObject?: JsonObject;
  readonly responseObject?: JsonObject;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/** Writes with both bodies, reads not at all, one event for each request. */
export const auditPolicy = JSON.stringify({
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "None", verbs: ["get", "list", "watch"] },
    { level: "None", nonResourceURLs: ["/*"] },
    { level: "None", resources: [{ group: "coordination.k8s.io", resources: ["leases"] }] },
    { level: "RequestResponse" },
  ],
});

/** One after the other. A last line that is still being written is left out: it has no end of line. Splits on 0x0A only (K28). */
export async function* readAuditLog(path: string): AsyncGenerator<AuditEvent> {
  let rest = "";
  for await (const chunk of createReadStream(path, {
    encoding: "utf8",
    highWaterMark: readBytes,
  }) as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as AuditEvent;
  }
}
