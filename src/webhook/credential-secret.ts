/** The Secret that holds the webhook's credentials. It owns nothing. */

import type { ApiServer, Clock } from "../../actors/ports.ts";
import type { WebhookCredentials } from "../../machines/webhook-credentials.ts";
import type { ReadCredentials } from "./credential-texts.ts";
import { readCredentialTexts, textsOfCredentials } from "./credential-texts.ts";
import { objectOf, textMembersOf } from "./json-value.ts";
import type { FoundTexts } from "./secret-texts.ts";
import { SecretTexts } from "./secret-texts.ts";

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
      readonly found: FoundTexts;
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
  readonly #secret: SecretTexts;

  constructor(ports: { readonly api: ApiServer; readonly clock: Clock }, place: SecretPlace) {
    this.#place = place;
    this.#secret = new SecretTexts(ports, place);
  }

  /** Throws as ClusterDocument.read does. */
  async read(signal: AbortSignal): Promise<FoundSecret> {
    const found = await this.#secret.read(signal);
    if (found === null) return { kind: "missing" };
    const request = textMembersOf(objectOf(found.document["metadata"])["annotations"])[rotateAnnotation] ?? "";
    return { kind: "found", found, request, read: readCredentialTexts(found.texts, this.#place.host) };
  }

  /**
   * In the place of what was found. `followed`: the request of the annotation is done with. False: somebody else was faster. Throws as
   * ClusterDocument.replace does.
   */
  async write(found: FoundSecret, written: WrittenCredentials, signal: AbortSignal): Promise<boolean> {
    const last = found.kind === "found" && found.read.kind === "usable" ? found.read.rotated : "";
    const request = found.kind === "found" && written.followed ? found.request : "";
    const texts = textsOfCredentials(written.credentials, request === "" ? last : request);
    if (found.kind === "missing") return (await this.#secret.create(texts, signal)) !== null;
    return (await this.#secret.replace(found.found, texts, signal)) !== null;
  }
}
