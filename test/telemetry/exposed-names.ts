/** Every name that `/metrics` can have, as the catalogue gives rise to it. */

import { metrics } from "../../src/telemetry/metrics.ts";

/** Of the webhook's own configuration and certificate. */
const promised: readonly string[] = [
  "webhook_covered",
  "webhook_certificate_expiry_timestamp_seconds",
  "webhook_certificate_renewals_total",
  "webhook_configuration_repairs_total",
];

export function exposedNames(): ReadonlySet<string> {
  const names = metrics.flatMap(({ name, kind }) => {
    if (kind === "counter") return [`${name}_total`];
    return kind === "gauge" ? [name] : [`${name}_bucket`, `${name}_sum`, `${name}_count`];
  });
  return new Set([...names, ...promised]);
}
