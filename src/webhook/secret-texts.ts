/** A Secret as texts by name, read and written by compare-and-swap. It owns nothing. */

import type { ApiServer, Clock } from "../../actors/ports.ts";
import { ClusterDocument } from "./cluster-document.ts";
import type { JsonObject } from "./json-value.ts";
import { textMembersOf } from "./json-value.ts";

export interface FoundTexts {
  readonly texts: Readonly<Record<string, string>>;
  /** As it was read: what is written stands on it. */
  readonly document: JsonObject;
}

export class SecretTexts {
  readonly #document: ClusterDocument;

  constructor(
    ports: { readonly api: ApiServer; readonly clock: Clock },
    { namespace, name }: { readonly namespace: string; readonly name: string },
  ) {
    const collection = `/api/v1/namespaces/${namespace}/secrets`;
    this.#document = new ClusterDocument(ports, { apiVersion: "v1", kind: "Secret", collection, name });
  }

  /** Null: there is none. Throws as ClusterDocument.read does. */
  async read(signal: AbortSignal): Promise<FoundTexts | null> {
    return foundIn(await this.#document.read(signal));
  }

  /** `texts` are all that it holds then. Null: somebody else was faster. Throws as ClusterDocument.replace does. */
  async replace(found: FoundTexts, texts: FoundTexts["texts"], signal: AbortSignal): Promise<FoundTexts | null> {
    return foundIn(await this.#document.replace({ ...found.document, data: encoded(texts) }, signal));
  }

  /** Where there is none. Null: somebody else was faster. Throws as ClusterDocument.create does. */
  async create(texts: FoundTexts["texts"], signal: AbortSignal): Promise<FoundTexts | null> {
    return foundIn(await this.#document.create({ data: encoded(texts) }, signal));
  }
}

function foundIn(document: JsonObject | null): FoundTexts | null {
  if (document === null) return null;
  const data = Object.entries(textMembersOf(document["data"]));
  const texts = data.map(([name, text]) => [name, Buffer.from(text, "base64").toString("utf8")]);
  return { document, texts: Object.fromEntries(texts) as Record<string, string> };
}

function encoded(texts: FoundTexts["texts"]): JsonObject {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(text, "utf8").toString("base64")]),
  );
}
