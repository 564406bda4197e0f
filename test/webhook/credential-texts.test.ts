import { X509Certificate } from "node:crypto";

import { beforeAll, describe, expect, test } from "vitest";

import { advanced, widened, type WebhookCredentials } from "../../machines/webhook-credentials.ts";
import { type CredentialTexts, readCredentialTexts, textsOfCredentials } from "../../src/webhook/credential-texts.ts";
import { hosts, lifetimeMs, makeStock, stocked } from "./keeper-world.ts";

beforeAll(() => makeStock(4));

type Phase = WebhookCredentials["phase"];

function credentialsOf(phase: Phase): WebhookCredentials {
  const steady = { phase: "steady", current: stocked(0) } as const;
  const wide = { phase: "widened", current: stocked(0), next: stocked(1) } as const;
  if (phase === "steady") return steady;
  return phase === "widened" ? widened(steady, stocked(1)) : advanced(wide);
}

function reasonOf(texts: CredentialTexts, host: string = hosts[0]): string {
  const read = readCredentialTexts(texts, host);
  return read.kind === "unusable" ? read.reason : read.kind;
}

test.each<Phase>(["steady", "widened", "moved"])("credentials that are %s are read as they were written", (phase) => {
  const credentials = credentialsOf(phase);
  const texts = textsOfCredentials(credentials, "today");
  expect(readCredentialTexts(texts, hosts[0])).toEqual({ kind: "usable", credentials, rotated: "today" });
  // The key of an authority is nowhere, nor that of a certificate that is no longer shown.
  const keys = Object.values(texts)
    .join("")
    .match(/BEGIN PRIVATE KEY/g);
  expect(keys).toHaveLength(phase === "widened" ? 2 : 1);
});

test("a Secret that was just made, or whose keys hold nothing, is empty", () => {
  expect(reasonOf({})).toBe("empty");
  expect(reasonOf({ "tls.crt": "", "tls.key": "", other: "x" })).toBe("empty");
});

describe("what somebody wrote into it", () => {
  const path = `/correlate/${"a".repeat(43)}`;
  test.each<[string, Phase, () => CredentialTexts, RegExp]>([
    ["no certificate", "steady", () => ({ "tls.crt": "x" }), /no certificates/],
    ["no key", "steady", () => ({ "tls.key": "" }), /no certificates/],
    ["another key", "steady", () => ({ "tls.key": stocked(2).keyPem }), /key is another/],
    ["another authority", "steady", () => ({ "ca.crt": stocked(2).caPem }), /not of the authority/],
    ["two authorities", "steady", () => ({ "ca.crt": stocked(0).caPem + stocked(1).caPem }), /as many paths/],
    ["no path", "steady", () => ({ path: "" }), /as many paths/],
    ["a path that can be guessed", "steady", () => ({ path: "/correlate/x" }), /as many paths/],
    ["a path outside", "steady", () => ({ path: `/other/${"a".repeat(43)}` }), /as many paths/],
    ["two paths", "steady", () => ({ path: `${path}\n${path}\n` }), /as many paths/],
    ["another phase", "steady", () => ({ phase: "moved" }), /two/],
    ["no phase", "widened", () => ({ phase: "" }), /steady, widened or moved/],
    ["one generation too many", "moved", () => ({ phase: "steady" }), /steady, widened or moved/],
    ["nothing to go on with", "widened", () => ({ "next.crt": "" }), /no certificates/],
    [
      "another next one",
      "widened",
      () => ({ "next.crt": stocked(2).certPem, "next.key": stocked(2).keyPem }),
      /not of the authority/,
    ],
    ["the phases swapped", "widened", () => ({ phase: "moved" }), /not of the authority/],
  ])("%s: nothing of it is used", (_name, phase, change, reason) => {
    const texts = textsOfCredentials(credentialsOf(phase), "");
    expect(reasonOf({ ...texts, ...change() })).toMatch(reason);
  });

  test("credentials of another namespace", () => {
    const texts = textsOfCredentials(credentialsOf("steady"), "");
    expect(reasonOf(texts, "kubescribe.elsewhere.svc")).toMatch(/not for kubescribe\.elsewhere\.svc/);
  });
});

test("a generation: 90 days, for the names of the Service, by an authority that can make no other authority", () => {
  const { caPem, certPem, path, notAfterMs } = stocked(0);
  const [authority, certificate] = [new X509Certificate(caPem), new X509Certificate(certPem)];
  expect(certificate.subjectAltName).toBe(hosts.map((host) => `DNS:${host}`).join(", "));
  expect(certificate.ca).toBe(false);
  expect(authority.ca).toBe(true);
  expect(notAfterMs).toBe(1_700_000_000_000 + lifetimeMs);
  expect(certificate.validToDate.getTime()).toBe(notAfterMs);
  // Written by a clock that is three weeks ahead, it would still be valid now.
  expect(certificate.validFromDate.getTime()).toBeLessThan(1_700_000_000_000 - 21 * 24 * 3_600_000);
  expect(path).toMatch(/^\/correlate\/[a-z0-9]{40,63}$/);
  expect(new Set([0, 1, 2, 3].map((index) => stocked(index).path)).size).toBe(4);
  expect(stocked(1).caPem).not.toBe(caPem);
});
