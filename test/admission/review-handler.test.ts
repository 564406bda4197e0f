import { describe, expect, test } from "vitest";

import type { Correlation } from "../../machines/messages.ts";
import type { HandleReview, ReviewHandlerOptions } from "../../src/admission/review-handler.ts";
import { createReviewHandler } from "../../src/admission/review-handler.ts";
import type { SimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import type { Recorder } from "./recorder.ts";
import { createRecorder } from "./recorder.ts";
import { bytesOf, configMap, reviewOf } from "./reviews.ts";

interface World {
  readonly handle: HandleReview;
  readonly recorder: Recorder;
  readonly clock: SimulatedClock;
  /** In the order in which things happened. */
  readonly happened: string[];
  readonly taken: { readonly correlation: Correlation; readonly object: string | null }[];
}

function createWorld(overrides: Partial<ReviewHandlerOptions> = {}): World {
  const recorder = createRecorder();
  const clock = createSimulatedClock(1000);
  const happened: string[] = [];
  const taken: World["taken"] = [];
  let arrival = 40;
  const handle = createReviewHandler({
    clock,
    meter: recorder.meter,
    log: recorder.log,
    claimKeys: [],
    nextArrival: () => (arrival += 1),
    correlate: (correlation, object) => {
      happened.push("correlated");
      taken.push({ correlation, object: object === null ? null : Buffer.from(object).toString() });
    },
    journal: {
      append: async () => {
        await Promise.resolve();
        happened.push("journalled");
      },
    },
    ...overrides,
  });
  return { handle, recorder, clock, happened, taken };
}

const allowed = {
  kind: "AdmissionReview",
  apiVersion: "admission.k8s.io/v1",
  response: { uid: "705ab4f5-6393-11e8-b7cc-42010a800002", allowed: true },
};
const parsed = (answer: string): unknown => JSON.parse(answer);

describe("a review", () => {
  test("is correlated, then journalled, then allowed", async () => {
    const { handle, happened, taken, recorder } = createWorld();
    const answer = await handle(bytesOf(reviewOf()));
    happened.push("answered");
    expect(happened).toEqual(["correlated", "journalled", "answered"]);
    expect(parsed(answer)).toEqual(allowed);
    expect(taken[0]?.correlation).toMatchObject({
      arrival: 41,
      atMs: 1000,
      user: "alice@example.com",
      restored: false,
    });
    expect(JSON.parse(taken[0]?.object ?? "")).toEqual(configMap("7", { a: "2" }));
    expect([recorder.counted("webhook_requests"), recorder.counted("webhook_correlations")]).toEqual([1, 1]);
    expect(recorder.recorded).toEqual(["webhook_duration_seconds"]);
  });

  test("is told of when its answer is ready, with the time that it took", async () => {
    const told: string[] = [];
    const { handle, clock, happened } = createWorld({
      answered: (correlation, tookMs) => told.push(`${correlation.user} ${tookMs} ${happened.join()}`),
      journal: {
        append: async () => {
          clock.advance(7);
        },
      },
    });
    await handle(bytesOf(reviewOf()));
    await handle(bytesOf(reviewOf({ dryRun: true })));
    expect(told).toEqual(["alice@example.com 7 correlated"]);
  });

  test("of a dry run is allowed and leaves no trace but its count", async () => {
    const { handle, happened, recorder } = createWorld();
    expect(parsed(await handle(bytesOf(reviewOf({ dryRun: true }))))).toEqual(allowed);
    expect(happened).toEqual([]);
    expect(recorder.counted("webhook_ignored{dry-run}")).toBe(1);
    expect(recorder.counted("webhook_correlations")).toBe(0);
  });

  test("with a uid that needs escapes gets it back", async () => {
    const review = reviewOf();
    const uid = 'a"\\\n\u2028';
    const answer = await createWorld().handle(
      bytesOf({ ...review, request: { ...(review["request"] as object), uid } }),
    );
    expect(parsed(answer)).toEqual({ ...allowed, response: { uid, allowed: true } });
  });
});

describe("whatever fails, the review is allowed", () => {
  test("the sink throws: still journalled", async () => {
    const { handle, happened, recorder } = createWorld({
      correlate: () => {
        throw new Error("secret text");
      },
    });
    expect(parsed(await handle(bytesOf(reviewOf())))).toEqual(allowed);
    expect(happened).toEqual(["journalled"]);
    expect(recorder.counted("webhook_faults{correlate}")).toBe(1);
    expect(recorder.counted("webhook_correlations")).toBe(0);
    expect(recorder.lines.join()).not.toContain("secret");
  });

  test.each<[string, () => Promise<void>]>([
    ["rejects", () => Promise.reject(Object.assign(new Error("no space"), { code: "ENOSPC" }))],
    [
      "throws",
      () => {
        throw Object.assign(new Error("no space"), { code: "ENOSPC" });
      },
    ],
  ])("the journal %s", async (_name, append) => {
    const { handle, happened, recorder } = createWorld({ journal: { append } });
    expect(parsed(await handle(bytesOf(reviewOf())))).toEqual(allowed);
    expect(happened).toEqual(["correlated"]);
    expect(recorder.counted("journal_errors{ENOSPC}")).toBe(1);
    expect(recorder.counted("webhook_correlations")).toBe(1);
  });

  test("arrival numbers cannot be had", async () => {
    const { handle, recorder } = createWorld({
      nextArrival: () => {
        throw new Error("x");
      },
    });
    expect(parsed(await handle(bytesOf(reviewOf())))).toEqual(allowed);
    expect(recorder.counted("webhook_faults{correlate}")).toBe(1);
  });

  test("the scan has a bug", async () => {
    const claimKeys = new Proxy([], {
      get: () => {
        throw new TypeError("bug");
      },
    });
    const { handle, recorder } = createWorld({ claimKeys });
    expect(parsed(await handle(bytesOf(reviewOf())))).toEqual(allowed);
    expect(recorder.counted("webhook_faults{scan}")).toBe(1);
  });
});

test("timers of answered reviews are gone", async () => {
  const { handle, clock } = createWorld();
  for (let index = 0; index < 5; index += 1) await handle(bytesOf(reviewOf()));
  expect(clock.armed).toBe(0);
});

test("what is no review is refused and counted", async () => {
  const { handle, recorder } = createWorld();
  await expect(handle(Buffer.from("{"))).rejects.toMatchObject({ code: "json-malformed", retry: "never" });
  expect(recorder.counted("webhook_rejected{json-malformed}")).toBe(1);
  expect(recorder.counted("webhook_requests")).toBe(1);
});
