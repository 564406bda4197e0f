/** What becomes of Secrets where nothing is secret: simulations, tests and benchmarks all have one key. */

import type { SecretOptions } from "../sanitize/secrets.ts";

export const simulatedSecrets: SecretOptions = {
  policy: "omit",
  fingerprintKey: Buffer.alloc(32, "simulated").toString("base64"),
};
