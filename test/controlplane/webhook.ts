/** The ValidatingWebhookConfiguration that leads the API server to an admission server of a test. */

export interface WebhookOptions {
  /** The whole address: `https://127.0.0.1:9443/correlate`. */
  readonly url: string;
  /** What the admission server's certificate is checked against. */
  readonly caPem: string;
  readonly rules: readonly WebhookRule[];
  /** Default `Ignore`. */
  readonly failurePolicy?: "Ignore" | "Fail";
  /** Default 3. */
  readonly timeoutSeconds?: number;
  /** Name of the configuration; default `kubescribe`. */
  readonly name?: string;
}

export interface WebhookRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  /** `TYPE/*` as well as `TYPE`: a name alone leaves the subresources out (K16). */
  readonly resources: readonly string[];
  /** Default CREATE, UPDATE, DELETE. */
  readonly operations?: readonly string[];
}

export const webhookPath = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
export const defaultWebhookName = "kubescribe";

export function webhookConfiguration(options: WebhookOptions): { readonly metadata: { readonly name: string } } {
  const name = options.name ?? defaultWebhookName;
  const configuration = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name },
    webhooks: [
      {
        name: `${name}.kubescribe.dev`,
        clientConfig: { url: options.url, caBundle: Buffer.from(options.caPem).toString("base64") },
        rules: options.rules.map((rule) => ({ operations: ["CREATE", "UPDATE", "DELETE"], ...rule })),
        failurePolicy: options.failurePolicy ?? "Ignore",
        timeoutSeconds: options.timeoutSeconds ?? 3,
        sideEffects: "NoneOnDryRun",
        matchPolicy: "Equivalent",
        admissionReviewVersions: ["v1"],
      },
    ],
  };
  return configuration;
}
