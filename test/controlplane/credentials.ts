/** Who may speak to the control plane, and how it proves itself: a certificate, service account keys, tokens, kubeconfigs. */

import { createHash, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { makeCertificate } from "../../src/simulator/certificate.ts";

export interface Credentials {
  readonly caPem: string;
  readonly caFile: string;
  readonly keyFile: string;
  readonly tokenFile: string;
  readonly serviceAccountKeyFile: string;
  readonly serviceAccountPublicKeyFile: string;
  readonly users: readonly string[];
  /** Throws for a user that is not one of `users`. */
  token(user: string): string;
}

/** Every user is in system:masters: attribution is tested here, not authorization. */
export async function makeCredentials(directory: string, users: readonly string[]): Promise<Credentials> {
  const certificate = await makeCertificate("127.0.0.1", { nowMs: () => Date.now() });
  const serviceAccount = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const tokens = new Map(users.map((user) => [user, createHash("sha256").update(user).digest("hex")]));
  const rows = [...tokens].map(([user, token]) => `${token},${csv(user)},${csv(`uid-${user}`)},system:masters\n`);
  const write = (name: string, content: string): string => {
    const path = join(directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  return {
    caPem: certificate.certificatePem,
    caFile: write("ca.pem", certificate.certificatePem),
    keyFile: write("key.pem", certificate.keyPem),
    tokenFile: write("tokens.csv", rows.join("")),
    serviceAccountKeyFile: write("service-account.key", serviceAccount.privateKey),
    serviceAccountPublicKeyFile: write("service-account.pub", serviceAccount.publicKey),
    users,
    token(user) {
      const token = tokens.get(user);
      if (token === undefined) throw new Error(`No user ${user}: name it in the "users" of startControlPlane.`);
      return token;
    },
  };
}

/** JSON, which every reader of kubeconfigs takes for YAML. */
export function kubeconfigText(options: {
  readonly url: string;
  readonly caPem: string;
  readonly user: string;
  readonly token: string;
}): string {
  const name = "test";
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name,
        cluster: { server: options.url, "certificate-authority-data": Buffer.from(options.caPem).toString("base64") },
      },
    ],
    users: [{ name: options.user, user: { token: options.token } }],
    contexts: [{ name, context: { cluster: name, user: options.user } }],
    "current-context": name,
  });
}

function csv(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
