/**
 * Makes one generation of credentials: an authority that signs one certificate and is forgotten, and a path that nobody can guess.
 *
 * The authority's key is not kept. A new authority at each renewal needs no more than the phases that a new path needs anyway, and what is
 * not kept cannot be stolen: whoever reads the Secret can pose as the webhook until its certificate ends, and can make no other.
 */

import "reflect-metadata";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

import type { Generation } from "../../machines/webhook-credentials.ts";

export interface GenerationOptions {
  /** DNS names that the certificate is for. */
  readonly names: readonly string[];
  readonly lifetimeMs: number;
  /** Wall clock, ms since 1970. */
  readonly nowMs: number;
  /** From a source that nobody can guess. */
  readonly randomBytes: (count: number) => Uint8Array;
}

/** What a path begins with; its last segment is the secret one. */
export const pathPrefix = "/correlate/";
const segmentBytes = 32;
/** The first bit of a serial number is 0, or it would be negative; RFC 5280 allows 20 bytes. */
const serialBytes = 16;
/** Clocks differ. And one that had jumped ahead must not have made a certificate that others will not accept for weeks. */
const backdatedMs = 30 * 24 * 3_600_000;

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export async function makeGeneration(options: GenerationOptions): Promise<Generation> {
  const { names, lifetimeMs, nowMs, randomBytes } = options;
  // oxlint-disable-next-line no-restricted-properties -- what a seed plays has no sockets, and so no certificates
  const { subtle } = crypto;
  const [authority, server] = await Promise.all([
    subtle.generateKey(algorithm, false, ["sign", "verify"]),
    subtle.generateKey(algorithm, true, ["sign", "verify"]),
  ]);
  // X.509 counts seconds.
  const notAfterMs = Math.floor((nowMs + lifetimeMs) / 1000) * 1000;
  const validity = { notBefore: new Date(nowMs - backdatedMs), notAfter: new Date(notAfterMs) };
  const serialNumber = serialOf(randomBytes);
  // Two authorities are trusted at a time: under different names, or a client might try the wrong one.
  const issuer = `CN=kubescribe webhook authority ${serialNumber.slice(-8)}`;
  const ca = await X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber,
    name: issuer,
    signingAlgorithm: algorithm,
    keys: authority,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  const certificate = await X509CertificateGenerator.create({
    ...validity,
    serialNumber: serialOf(randomBytes),
    issuer,
    subject: `CN=${commonNameOf(names)}`,
    publicKey: server.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value }))),
    ],
  });
  return {
    caPem: textLines(ca.toString("pem")),
    certPem: textLines(certificate.toString("pem")),
    keyPem: keyPemOf(Buffer.from(await subtle.exportKey("pkcs8", server.privateKey))),
    path: `${pathPrefix}${segmentOf(randomBytes(segmentBytes))}`,
    notAfterMs,
  };
}

/** The API server takes lower-case letters and digits in the path of a Service's webhook, at most 63. */
function segmentOf(bytes: Uint8Array): string {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`).toString(36);
}

/** X.500 allows a common name 64 characters; clients look at the alternative names. */
function commonNameOf(names: readonly string[]): string {
  return names.find((name) => name.length <= 64) ?? "kubescribe webhook";
}

function serialOf(randomBytes: GenerationOptions["randomBytes"]): string {
  const bytes = Buffer.from(randomBytes(serialBytes));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

function keyPemOf(pkcs8: Buffer): string {
  const lines = pkcs8.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

function textLines(pem: string): string {
  return `${pem.trimEnd()}\n`;
}
