/** The check of concurrent traces: lets the model's own pass, and falls over each falsification of one. */

import { expect, test } from "vitest";
import { traceOfModel } from "./model-trace.ts";
import type { Trace, TracedEvent, TracedRequest } from "./trace.ts";
import { checkTrace } from "./trace-check.ts";

const operations = 200;

test("a trace of the model is admitted", () => {
  const sums: Record<string, number> = {};
  for (const seed of [1, 2, 3, 4]) {
    const { broken, figures } = checkTrace(traceOfModel(seed, operations));
    expect(broken, `seed ${seed}`).toEqual([]);
    for (const [figure, count] of Object.entries(figures)) sums[figure] = (sums[figure] ?? 0) + count;
  }
  // Others came between, and caches were behind.
  expect(sums["repeated"]).toBeGreaterThan(20);
  expect(sums["stale"]).toBeGreaterThan(10);
  expect(sums["explained by a review"]).toBeGreaterThan(300);
});

/** The same trace, with one thing in it that never was. */
type Falsify = (trace: Trace) => Trace;

function withEvent(
  trace: Trace,
  fits: (event: TracedEvent) => boolean,
  change: (event: TracedEvent) => TracedEvent[],
): Trace {
  const at = trace.events.findIndex(fits);
  const event = trace.events[at];
  if (event === undefined) throw new Error("no such event");
  return { ...trace, events: trace.events.toSpliced(at, 1, ...change(event)) };
}

function withRequest(
  trace: Trace,
  fits: (request: TracedRequest) => boolean,
  change: (request: TracedRequest) => Partial<TracedRequest>,
): Trace {
  const at = trace.requests.findIndex(fits);
  const request = trace.requests[at];
  if (request === undefined) throw new Error("no such request");
  return { ...trace, requests: trace.requests.with(at, { ...request, ...change(request) }) };
}

const modified = ({ kind }: TracedEvent): boolean => kind === "MODIFIED";
const changed =
  (trace: Trace) =>
  (request: TracedRequest): boolean =>
    request.status === 200 &&
    request.reviews.length === 1 &&
    trace.events.some(({ version, kind }) => kind === "MODIFIED" && version === request.version);

const falsifications: readonly (readonly [string, Falsify])[] = [
  ["an event is missing", (trace) => withEvent(trace, modified, () => [])],
  ["an event is there twice", (trace) => withEvent(trace, modified, (event) => [event, event])],
  [
    "an event has another content",
    (trace) =>
      withEvent(trace, modified, (event) => [{ ...event, frame: event.frame.replace(/"name":"[^"]+"/, `"name":"x"`) }]),
  ],
  [
    "an object is deleted that nobody deleted",
    (trace) =>
      withEvent(
        trace,
        ({ kind, frame }) => kind === "MODIFIED" && !frame.includes("deletionTimestamp"),
        (event) => [{ ...event, kind: "DELETED", frame: event.frame.replace("MODIFIED", "DELETED") }],
      ),
  ],
  ["a write was not reviewed", (trace) => withRequest(trace, changed(trace), () => ({ reviews: [] }))],
  ["a write was somebody else's", (trace) => withRequest(trace, changed(trace), () => ({ user: "mallory" }))],
  ["a refusal was a success", (trace) => withRequest(trace, changed(trace), () => ({ status: 409 }))],
  ["an answer has another version", (trace) => withRequest(trace, changed(trace), () => ({ version: "1" }))],
  [
    "a review has a base that never was",
    (trace) =>
      withRequest(trace, changed(trace), ({ reviews, version }) => ({
        reviews: reviews.map((review) => ({
          ...review,
          text: review.text.replaceAll(/"resourceVersion":"\d+"/g, `"resourceVersion":"${version}9"`),
        })),
      })),
  ],
  [
    "a request is reviewed once more on the same base",
    (trace) => withRequest(trace, changed(trace), ({ reviews }) => ({ reviews: [...reviews, ...reviews] })),
  ],
  [
    "a request asks for something else than was reviewed",
    (trace) =>
      withRequest(trace, changed(trace), ({ request }) => ({
        request: { ...request, path: request.path.replace(/\?.*|$/, "?fieldManager=mallory") },
      })),
  ],
];

test.for(falsifications)("a trace is not admitted when %s", ([, falsify]) => {
  expect(checkTrace(falsify(traceOfModel(1, operations))).broken).not.toEqual([]);
});
