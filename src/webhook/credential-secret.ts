/** The Secret that holds the webhook's credentials. It owns nothing. */

import type { ApiServer, Clock } from "../../actors/ports.ts";
import type { WebhookCredentials } from "../../machines/webhook-credentials.ts";
import { ClusterDocument } from "./cluster-document.ts";
import type { CredentialTexts, ReadCredentials } from "./credential-texts.ts";
import { readCredentialTexts, textsOfCredentials } from "./credential-texts.ts";
import type { JsonObject } from "./json-value.ts";
import { objectOf, textMembersOf } from "./json-value.ts";

/** An operator who puts another value here, of whatever kind, has the credentials renewed. */
const rotateAnnotation = "kubescribe.dev/rotate";

export interface SecretPlace {
  readonly namespace: string;
  readonly name: string;
  /** A DNS name that the certificates must be for. */
  readonly host: string;
}

export type FoundSecret =
  | { readonly kind: "missing" }
  | {
      readonly kind: "found";
      readonly document: JsonObject;
      readonly read: ReadCredentials;
      /** Of the annotation; empty: none. */
      readonly request: string;
    };

export interface WrittenCredentials {
  readonly credentials: WebhookCredentials;
  readonly followed: boolean;
}

/** Somebody asks for a renewal that was not followed yet. */
export function asksForRenewal(found: FoundSecret): boolean {
  if (found.kind === "missing" || found.request === "") return false;
  return found.read.kind !== "usable" || found.request !== found.read.rotated;
}

export class CredentialSecret {
  readonly #place: SecretPlace;
  readonly #document: ClusterDocument;

  constructor(ports: { readonly api: ApiServer; readonly clock: Clock }, place: SecretPlace) {
    this.#place = place;
    const collection = `/api/v1/namespaces/${place.namespace}/secrets`;
    this.#document = new ClusterDocument(ports, { apiVersion: "v1", kind: "Secret", collection, name: place.name });
  }

  /** Throws as ClusterDocument.read does. */
  async read(signal: AbortSignal): Promise<FoundSecret> {
    const document = await this.#document.read(signal);
    if (document === null) return { kind: "missing" };
    const request = textMembersOf(objectOf(document["metadata"])["annotations"])[rotateAnnotation] ?? "";
    return { kind: "found", document, request, read: readCredentialTexts(dataOf(document), this.#place.host) };
  }

  /**
   * In the place of what was found. `followed`: the request of the annotation is done with. False: somebody else was faster. Throws as
   * ClusterDocument.replace does.
   */
  async write(found: FoundSecret, written: WrittenCredentials, signal: AbortSignal): Promise<boolean> {
    const last = found.kind === "found" && found.read.kind === "usable" ? found.read.rotated : "";
    const request = found.kind === "found" && written.followed ? found.request : "";
    const texts = Object.entries(textsOfCredentials(written.credentials, request === "" ? last : request));
    const data = Object.fromEntries(texts.map(([name, text]) => [name, Buffer.from(text).toString("base64")]));
    if (found.kind === "missing") return (await this.#document.create({ data }, signal)) !== null;
    return (await this.#document.replace({ ...found.document, data }, signal)) !== null;
  }
}

function dataOf(document: JsonObject): CredentialTexts {
  const data = Object.entries(textMembersOf(document["data"]));
  return Object.fromEntries(data.map(([name, text]) => [name, Buffer.from(text, "base64").toString("utf8")]));
}
