import { expect, test } from "vitest";

import { readClusterUid } from "../../src/kubernetes/cluster-uid.ts";
import { FakeApi } from "./fake-api.ts";

const { signal } = new AbortController();

test("the uid of kube-system names the cluster", async () => {
  const body = '{"kind":"Namespace","metadata":{"name":"kube-system","uid":"62580099-7a6e"}}';
  expect(await readClusterUid(new FakeApi(() => ({ body })), signal)).toBe("62580099-7a6e");
});

test.each([
  [401, "The credentials are not accepted"],
  [403, "Give this user the right to get it"],
  [404, "Something else than an API server seems to answer at this address"],
  [200, "Something else than an API server seems to answer at this address"],
  [503, "Check that the API server is well"],
])("an answer of %i says what to do", async (status, advice) => {
  const reading = readClusterUid(new FakeApi(() => ({ status, body: "{}" })), signal);
  await expect(reading).rejects.toMatchObject({
    code: "cluster-unknown",
    message: expect.stringMatching(`\\(status ${status}\\).*${advice}`) as string,
  });
});

test.each([
  ["ECONNREFUSED", "Check that it runs"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "Its certificate is not trusted"],
  ["CERT_HAS_EXPIRED", "Its certificate is not trusted"],
])("silence by %s says what to do", async (code, advice) => {
  const silent = new FakeApi(() => Object.assign(new Error("no"), { code }));
  await expect(readClusterUid(silent, signal)).rejects.toMatchObject({
    code: "cluster-unreachable",
    message: expect.stringContaining(`(${code}). ${advice}`) as string,
  });
});
