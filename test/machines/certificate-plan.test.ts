import { describe, expect, test } from "vitest";

import { certificatePlan, type CertificateSituation } from "../../machines/certificate-plan.ts";
import {
  advanced,
  type Generation,
  shownOf,
  widened,
  type WebhookCredentials,
} from "../../machines/webhook-credentials.ts";

const lifetimeMs = 900;
const waitMs = 20;
const times = { lifetimeMs, waitMs };

function generation(name: string, notAfterMs = lifetimeMs): Generation {
  return { caPem: `ca ${name}`, certPem: `cert ${name}`, keyPem: `key ${name}`, path: `/${name}`, notAfterMs };
}

const steady = { phase: "steady", current: generation("a") } as const;
const wide = { phase: "widened", current: generation("a"), next: generation("b", 2000) } as const;
const moved: WebhookCredentials = advanced(wide);

describe("what is due", () => {
  const base: CertificateSituation = { credentials: steady, asked: false, configuredForMs: 1000, nowMs: 0 };
  test.each<[string, Partial<CertificateSituation>, unknown]>([
    ["nothing is there: a first generation", { credentials: null }, { kind: "create" }],
    ["two thirds are not over: it waits for that", { nowMs: 100 }, { kind: "wait", forMs: 500 }],
    ["two thirds are over", { nowMs: 600 }, { kind: "widen" }],
    ["somebody asks", { asked: true, nowMs: 1 }, { kind: "widen" }],
    ["a clock that jumped back: nothing, for longer", { nowMs: -10_000 }, { kind: "wait", forMs: 10_600 }],
    ["expired: anew, whatever was under way", { nowMs: 900 }, { kind: "create" }],
    ["expired while it was widened", { credentials: wide, nowMs: 900 }, { kind: "create" }],
    [
      "widened, and the configuration does not say so",
      { credentials: wide, configuredForMs: null },
      { kind: "wait", forMs: null },
    ],
    ["widened, not for long enough", { credentials: wide, configuredForMs: 5 }, { kind: "wait", forMs: 15 }],
    ["widened long enough", { credentials: wide, configuredForMs: 20 }, { kind: "advance" }],
    [
      "widened, and somebody asks again",
      { credentials: wide, asked: true, configuredForMs: 5 },
      { kind: "wait", forMs: 15 },
    ],
    ["moved, not for long enough", { credentials: moved, configuredForMs: 0 }, { kind: "wait", forMs: 20 }],
    ["moved long enough", { credentials: moved, configuredForMs: 20 }, { kind: "advance" }],
  ])("%s", (_name, situation, step) => {
    expect(certificatePlan({ ...base, ...situation }, times)).toEqual(step);
  });
});

test("each phase shows, trusts, takes and calls what it should", () => {
  const phases = [steady, widened(steady, generation("b", 2000)), moved, advanced(moved as typeof wide)];
  expect(
    phases.map((credentials) => {
      const { certPem, caPem, trusted, paths, path } = shownOf(credentials);
      return [credentials.phase, certPem, caPem, trusted.join(), paths.join(), path];
    }),
  ).toEqual([
    ["steady", "cert a", "ca a", "ca a", "/a", "/a"],
    ["widened", "cert a", "ca a", "ca a,ca b", "/a,/b", "/a"],
    ["moved", "cert b", "ca b", "ca a,ca b", "/a,/b", "/b"],
    ["steady", "cert b", "ca b", "ca b", "/b", "/b"],
  ]);
});
