/** The rule documents of a cluster as they are now, once: what `run` follows, for who looks at what it made of them. */

import type { ApiServer, Clock } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { acceptDocuments } from "../config/accept-documents.ts";
import type { RuleDocument } from "../config/documents.ts";
import { withOwnRules } from "../config/own-rules.ts";
import { listAll, pageItems } from "../kubernetes/listing.ts";
import { documentTypes, storedDocumentOf } from "./cluster-documents.ts";

export interface ReadDocuments {
  /** With those that nobody has to write: the documents themselves are recorded. */
  readonly accepted: readonly RuleDocument[];
  /** Sentences: which document is not followed, and why. */
  readonly refused: readonly string[];
}

/** `allow`: as `run` is told. Throws `configuration-invalid` where there is none that is followed, or they cannot be listed. */
export async function readClusterDocuments(
  { api, clock, allow }: { readonly api: ApiServer; readonly clock: Clock; readonly allow: readonly string[] },
  signal: AbortSignal,
): Promise<ReadDocuments> {
  const stored = [];
  for (const type of documentTypes) {
    const request = { match: "latest", alive: () => undefined } as const;
    const listed = await listAll({ api, clock, pageItems }, type, request, signal);
    if (listed.kind === "faulted") {
      const { kind, detail } = listed.fault;
      throw invalid(`the ${type.resource} of the cluster cannot be listed (${kind}: ${detail})`);
    }
    stored.push(...listed.items.map(storedDocumentOf).filter((document) => document !== null));
  }
  const accepted: RuleDocument[] = [];
  const refused: string[] = [];
  for (const [title, acceptance] of acceptDocuments(stored, allow)) {
    if (acceptance.kind === "accepted") accepted.push(acceptance.document);
    else refused.push(`${title} is not followed: ${acceptance.message}`);
  }
  if (accepted.length === 0) throw invalid(["none that is followed", ...refused].join("\n  "));
  return { accepted: withOwnRules(accepted), refused };
}

function invalid(found: string): KubescribeError {
  const message = `expected rule documents in the cluster, found: ${found}. Or name files with --config`;
  return new KubescribeError("configuration-invalid", message, { retry: "never" });
}
