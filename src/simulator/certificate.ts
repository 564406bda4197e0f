/** A self-made certificate for one listener on this machine: its own certificate authority, valid for a week. */

import "reflect-metadata";
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";
import type { Clock } from "../../actors/ports.ts";

export interface SelfMadeCertificate {
  /** The certificate, which is also the bundle to trust. */
  readonly certificatePem: string;
  readonly keyPem: string;
}

const VALID_MS = 7 * 24 * 3_600_000;
/** Clocks of one machine may step back a little. */
const BACKDATED_MS = 3_600_000;

export async function makeCertificate(commonName: string, clock: Pick<Clock, "nowMs">): Promise<SelfMadeCertificate> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  // oxlint-disable-next-line no-restricted-properties -- what a seed plays has no sockets, and so no certificates
  const { subtle } = crypto;
  const keys = await subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const nowMs = clock.nowMs();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: `CN=${commonName}`,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + VALID_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new SubjectAlternativeNameExtension([
        { type: "ip", value: "127.0.0.1" },
        { type: "dns", value: "localhost" },
      ]),
    ],
  });
  const key = Buffer.from(await subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const lines = key.match(/.{1,64}/g) ?? [];
  return {
    certificatePem: certificate.toString("pem"),
    keyPem: `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`,
  };
}
