/**
 * The second webhook: refuses whatever the users `denied-*` ask for, and is not asked about anybody else. Runs beside kubescribe's
 * (K21), so each of its refusals leaves a correlation without a write (K1, K50).
 */

import { createServer, type Server } from "node:https";
import { json } from "node:stream/consumers";

import { makeCertificate } from "../../src/simulator/certificate.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { freePorts } from "../controlplane/ports.ts";
import { webhookConfiguration, webhookPath } from "../controlplane/webhook.ts";
import { kinds } from "./kinds.ts";

export const deniedUsers = ["denied-0", "denied-1"] as const;

export async function startDenier(plane: ControlPlane): Promise<AsyncDisposable> {
  const { certificatePem, keyPem } = await makeCertificate("127.0.0.1", { nowMs: () => Date.now() });
  const [port = 0] = await freePorts(1);
  const server = createServer({ cert: certificatePem, key: keyPem, keepAliveTimeout: 120_000 }, (asked, answer) => {
    void json(asked).then((review) => {
      const { uid } = (review as { readonly request: { readonly uid: string } }).request;
      const response = { uid, allowed: false, status: { code: 403, message: "denied by the storm" } };
      answer.setHeader("content-type", "application/json");
      answer.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response }));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const configuration = webhookConfiguration({
    url: `https://127.0.0.1:${port}/`,
    caPem: certificatePem,
    name: "denier",
    timeoutSeconds: 10,
    rules: kinds.map(({ group, version, resource }) => ({
      apiGroups: [group],
      apiVersions: [version],
      resources: [resource, `${resource}/*`],
    })),
  }) as { readonly webhooks?: readonly object[] };
  const webhooks = (configuration.webhooks ?? []).map((webhook) => ({
    ...webhook,
    matchConditions: [{ name: "denied", expression: "request.userInfo.username.startsWith('denied-')" }],
  }));
  const made = await plane.request("admin", "POST", webhookPath, { ...configuration, webhooks });
  if (made.status !== 201) throw new Error(`The second webhook was refused: ${made.text}`);
  return { [Symbol.asyncDispose]: () => close(server) };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
