/**
 * The webhook's credentials as texts by name: the keys of a Secret, or the files that it is mounted as. Pure.
 *
 * | name | holds |
 * |---|---|
 * | `tls.crt`, `tls.key` | what is shown now |
 * | `ca.crt` | the authorities to trust, oldest first |
 * | `path` | the paths that are taken, one a line, oldest first |
 * | `phase` | `steady`, `widened` or `moved` |
 * | `next.crt`, `next.key` | in `widened`: what will be shown |
 * | `rotated` | the last request for a renewal that was followed |
 */

import { createPrivateKey, X509Certificate } from "node:crypto";

import type { FormerGeneration, Generation, WebhookCredentials } from "../../machines/webhook-credentials.ts";
import { generationsOf } from "../../machines/webhook-credentials.ts";
import { pathPrefix } from "./generation.ts";

export type CredentialTexts = Readonly<Record<string, string>>;

export const credentialNames = [
  "tls.crt",
  "tls.key",
  "ca.crt",
  "path",
  "phase",
  "next.crt",
  "next.key",
  "rotated",
] as const;

export type ReadCredentials =
  | { readonly kind: "usable"; readonly credentials: WebhookCredentials; readonly rotated: string }
  /** As the installation makes it: none of the names is there, or there is nothing behind them. */
  | { readonly kind: "empty" }
  /** Somebody else wrote into it, or it is of another namespace. */
  | { readonly kind: "unusable"; readonly reason: string };

export function textsOfCredentials(credentials: WebhookCredentials, rotated: string): CredentialTexts {
  const generations = generationsOf(credentials);
  return {
    "tls.crt": credentials.current.certPem,
    "tls.key": credentials.current.keyPem,
    "ca.crt": generations.map(({ caPem }) => caPem).join(""),
    path: generations.map(({ path }) => `${path}\n`).join(""),
    phase: credentials.phase,
    ...(credentials.phase === "widened"
      ? { "next.crt": credentials.next.certPem, "next.key": credentials.next.keyPem }
      : {}),
    ...(rotated === "" ? {} : { rotated }),
  };
}

/** `name`: one that the certificates must be for. */
export function readCredentialTexts(texts: CredentialTexts, name: string): ReadCredentials {
  if (credentialNames.every((key) => (texts[key] ?? "") === "")) return { kind: "empty" };
  try {
    return { kind: "usable", credentials: decode(texts, name), rotated: texts["rotated"] ?? "" };
  } catch (error) {
    return { kind: "unusable", reason: error instanceof Unusable ? error.message : "it holds no certificates" };
  }
}

/** PEM blocks of certificates, each with the end of its line. */
export function certificatesIn(pem: string): readonly string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => `${block.replaceAll("\r", "")}\n`);
}

class Unusable extends Error {
  override readonly name = "Unusable";
}

function decode(texts: CredentialTexts, name: string): WebhookCredentials {
  const phase = texts["phase"]?.trim();
  const trusted = certificatesIn(texts["ca.crt"] ?? "");
  const paths = (texts["path"] ?? "").split("\n").filter((line) => line !== "");
  const generations = trusted.map((caPem, index): FormerGeneration => ({ caPem, path: paths[index] ?? "" }));
  const [first, second] = generations;
  if (first === undefined || paths.length !== generations.length || !paths.every(isPath)) {
    throw new Unusable("expected as many paths in `path` as certificates in `ca.crt`");
  }
  const shown = { certPem: texts["tls.crt"] ?? "", keyPem: texts["tls.key"] ?? "" };
  if (phase === "steady" && second === undefined) return { phase, current: generationOf(first, shown, name) };
  if (second === undefined || generations.length > 2) {
    throw new Unusable("expected `phase` to be steady with one generation, or widened or moved with two");
  }
  if (phase === "moved") return { phase, former: first, current: generationOf(second, shown, name) };
  if (phase !== "widened") throw new Unusable("expected `phase` to be steady, widened or moved");
  const next = { certPem: texts["next.crt"] ?? "", keyPem: texts["next.key"] ?? "" };
  return { phase, current: generationOf(first, shown, name), next: generationOf(second, next, name) };
}

function isPath(path: string): boolean {
  return path.startsWith(pathPrefix) && /^[a-z0-9]{40,63}$/.test(path.slice(pathPrefix.length));
}

function generationOf(
  { caPem, path }: FormerGeneration,
  { certPem, keyPem }: Pick<Generation, "certPem" | "keyPem">,
  name: string,
): Generation {
  const authority = new X509Certificate(caPem);
  const certificate = new X509Certificate(certPem);
  if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) throw new Unusable("a key is another certificate's");
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) {
    throw new Unusable("a certificate is not of the authority in `ca.crt`");
  }
  if (certificate.checkHost(name) === undefined) throw new Unusable(`a certificate is not for ${name}`);
  const notAfterMs = Math.min(certificate.validToDate.getTime(), authority.validToDate.getTime());
  return { caPem, certPem, keyPem, path, notAfterMs };
}
