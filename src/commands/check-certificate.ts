/** Looks at a certificate of the webhook that is not kubescribe's own: is it there, for the right name, and trusted by the configuration. */

import { X509Certificate } from "node:crypto";

import { certificateSecret, installation } from "../manifests/names.ts";
import { certificatesIn } from "../webhook/credential-texts.ts";
import type { Inquiry, Json } from "./cluster-inquiry.ts";
import type { Finding } from "./finding.ts";

const about = "certificate";
const longestChain = 10;
const trustAdvice =
  "Write the authority that signed it into clientConfig.caBundle of each entry of the webhook configuration: docs/WEBHOOK.md says how.";

/** With `--certificates cert-manager` or `files`. */
export async function checkCertificate(
  { get }: Inquiry,
  { namespace, nowMs }: { readonly namespace: string; readonly nowMs: number },
): Promise<Finding> {
  const { status, body } = await get(`/api/v1/namespaces/${namespace}/secrets/${certificateSecret}`);
  const expected = "expected tls.crt and tls.key";
  if (status === 404)
    return { state: "lacks", about, detail: `there is no Secret ${namespace}/${certificateSecret}: ${expected}` };
  if (status !== 200) return { state: "note", about, detail: `its Secret cannot be read (status ${status})` };
  const [leaf, ...chain] = certificatesOf(body.at("data", "tls.crt").text);
  if (leaf === undefined)
    return { state: "lacks", about, detail: `Secret ${namespace}/${certificateSecret} holds none: ${expected}` };
  const name = `${installation}.${namespace}.svc`;
  const faults: string[] = [];
  // The API server looks at no common name.
  if (leaf.checkHost(name, { subject: "never" }) === undefined) faults.push(`it is not for ${name}`);
  if (leaf.validToDate.getTime() < nowMs) faults.push(`it ended at ${leaf.validToDate.toISOString()}`);
  const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${installation}`;
  const entries = (await get(path)).body.at("webhooks").items;
  const distrusting = entries.filter((entry) => !trusts(entry, leaf, chain)).map((entry) => entry.at("name").text);
  if (distrusting.length > 0) faults.push(`caBundle does not lead to it, or is empty, in ${distrusting.join(", ")}`);
  if (faults.length === 0) return { state: "ok", about, detail: `it is for ${name}, and trusted` };
  const advice = distrusting.length === 0 ? "Renew it in that Secret." : trustAdvice;
  return { state: "lacks", about, detail: faults.join("\n"), advice };
}

/** As the API server does: whatever stands in caBundle is trusted, be it the root or not. */
function trusts(entry: Json, leaf: X509Certificate, chain: readonly X509Certificate[]): boolean {
  const bundle = certificatesOf(entry.at("clientConfig", "caBundle").text);
  let certificate = leaf;
  for (let depth = 0; depth < longestChain; depth += 1) {
    if (bundle.some((trusted) => isSame(trusted, certificate) || issued(trusted, certificate))) return true;
    const issuer = chain.find((other) => !isSame(other, certificate) && issued(other, certificate));
    if (issuer === undefined) return false;
    certificate = issuer;
  }
  return false;
}

function isSame(a: X509Certificate, b: X509Certificate): boolean {
  return a.fingerprint256 === b.fingerprint256;
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Of PEM in base64. One that cannot be read is none. */
function certificatesOf(base64: string): readonly X509Certificate[] {
  return certificatesIn(Buffer.from(base64, "base64").toString("latin1")).flatMap((pem) => {
    try {
      return [new X509Certificate(pem)];
    } catch {
      return [];
    }
  });
}
