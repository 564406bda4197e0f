/** The resource machine with its rules of attribution, fed with bytes, beside a reference that judges by brute force. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { ResourceActor } from "../../actors/resource-actor.ts";
import type { Change, Verdict } from "../../machines/messages.ts";
import { resourceKeyOf } from "../../machines/messages.ts";
import type { ResourceEffect } from "../../machines/resource-changes.ts";
import { scanReview } from "../../src/admission/review-scan.ts";
import { decodeFrame } from "../../src/kubernetes/watch-frame.ts";
import { sameContent } from "../../src/sanitize/same-content.ts";
import { DEPLOYMENTS } from "../../src/simulator/resource-types.ts";
import type { StoredEvent } from "../../src/simulator/store.ts";
import { frameOf } from "../../src/simulator/watching.ts";
import { check, suite } from "./check.ts";
import { longestRequestMs } from "../../machines/pending.ts";
import { freshnessMs, judge, type Reference, type Seen } from "./matcher-reference.ts";
import {
  answering,
  beginning,
  opening,
  PlayedCluster,
  type Answering,
  type Beginning,
  type Review,
} from "./played-cluster.ts";

type Step =
  | Beginning
  | Answering
  | { readonly do: "show" }
  /** `blind`: reviews could not arrive for a moment. */
  | { readonly do: "pass"; readonly ms: number; readonly blind: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: beginning },
  { weight: 8, arbitrary: answering },
  { weight: 5, arbitrary: fc.constant({ do: "show" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      ms: fc.constantFrom(1_000, 6_000, 11_000),
      blind: fc.boolean(),
    }),
  },
);
const steps = fc.array(step, { minLength: 10, maxLength: 90, size: "max" });

interface Judged {
  readonly event: StoredEvent;
  readonly reference: Reference;
  readonly changes: readonly Change[];
}

class Matcher {
  readonly judged: Judged[] = [];
  readonly amended: { readonly before: Verdict | undefined; readonly after: Verdict }[] = [];
  readonly #capacity: number;
  readonly #cluster = new PlayedCluster((review) => this.#review(review));
  readonly #reviews: Seen[] = [];
  readonly #objects = new Map<number, Uint8Array>();
  #effects: ResourceEffect[] = [];
  #shown = 0;
  #sightSinceMs = 0;
  readonly #actor = new ResourceActor(null, {
    key: resourceKeyOf(DEPLOYMENTS.key, "default", "a"),
    typeKey: DEPLOYMENTS.key,
    markedThrough: "",
    mailboxCapacity: 1,
    attempts: 1,
    apply: (effect) => this.#effects.push(effect),
    onFault: (fault) => {
      throw fault;
    },
  });

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  play(script: readonly Step[]): void {
    for (const one of [...opening, { do: "show" } as const, ...script]) this.#step(one);
    this.#cluster.finish();
    while (this.#shown < this.#cluster.events.length) this.#show();
  }

  #step(one: Step): void {
    switch (one.do) {
      case "begin":
        return this.#cluster.begin(one);
      case "answer":
        return this.#cluster.answer(one);
      case "show":
        return this.#show();
      case "pass":
        this.#cluster.pass(one.ms);
        if (one.blind) this.#sightSinceMs = this.#cluster.nowMs;
        return;
      default:
        return one satisfies never;
    }
  }

  #review(review: Review): void {
    const { bytes, attempt } = review;
    const { outcome } = scanReview(bytes, []);
    const sinceMs = this.#cluster.nowMs;
    this.#reviews.push({ ...review, user: attempt.user.name, atMs: sinceMs });
    if (outcome.kind === "ignored") return;
    const arrival = this.#reviews.length;
    const correlation = { arrival, atMs: sinceMs, restored: false, ...outcome.draft };
    const { object } = outcome;
    if (object !== null) this.#objects.set(arrival, bytes.subarray(object.start, object.end));
    const before = this.#actor.context.tie ?? undefined;
    this.#effects = [];
    this.#actor.receive({ type: "correlated", entry: { correlation, sinceMs }, capacity: this.#capacity });
    for (const effect of this.#effects)
      if (effect.kind === "amend") this.amended.push({ before, after: effect.verdict });
  }

  #show(): void {
    const event = this.#cluster.events[this.#shown];
    if (event === undefined) return;
    this.#shown += 1;
    const { nowMs } = this.#cluster;
    const freshSinceMs = Math.max(this.#sightSinceMs, nowMs - freshnessMs);
    const bytes = Buffer.from(frameOf(event));
    const frame = decodeFrame(bytes, { start: 0, end: bytes.length - 1 }, { type: DEPLOYMENTS, atMs: nowMs });
    if (frame.kind !== "event") throw new Error("no event");
    this.#effects = [];
    this.#actor.receive({
      type: "observed",
      event: frame.event,
      epoch: 0,
      horizon: { freshSinceMs, openSinceMs: nowMs - longestRequestMs, witness: null },
      sameContent: ({ arrival }, { bytes: shown }) =>
        sameContent(this.#objects.get(arrival) ?? Buffer.from("{}"), shown, DEPLOYMENTS),
    });
    this.judged.push({
      event,
      reference: judge(event, this.#reviews, { nowMs, freshSinceMs }),
      changes: this.#effects.flatMap((effect) => (effect.kind === "commit" ? [effect.change] : [])),
    });
  }
}

function played(script: readonly Step[], capacity = 1000): Matcher {
  const matcher = new Matcher(capacity);
  matcher.play(script);
  return matcher;
}

const usersOf = ({ candidates }: Verdict): readonly string[] => candidates.map(({ user }) => user);

/** I3: against what really happened, which neither the matcher nor the reference was told. */
function expectTrue({ tier, author, candidates }: Verdict, { authorship }: StoredEvent): void {
  if (tier === "tie") {
    if (authorship.reviewed) expect(candidates.map(({ user }) => user)).toContain(authorship.user);
  } else if (author !== null) {
    // What nobody reviewed is credited to whoever asked for the same a moment before (K50): only bytes prove the contrary.
    if (authorship.reviewed || tier === "exact") expect(author.user).toBe(authorship.user);
  }
}

suite("the matcher", () => {
  test("says of each write what the evidence says, and of nothing else", () => {
    check(
      fc.property(steps, (script) => {
        for (const { event, reference, changes } of played(script).judged) {
          expect(changes.map(({ operation, resourceVersion }) => [operation, resourceVersion])).toEqual(
            reference.operation === null ? [] : [[reference.operation, String(event.revision)]],
          );
          for (const { verdict } of changes) {
            expect({ tier: verdict.tier, users: new Set(usersOf(verdict)) }).toEqual({
              tier: reference.tier,
              users: new Set(reference.tier === "tie" ? reference.users : []),
            });
            if (verdict.author !== null) expect(reference.users).toContain(verdict.author.user);
            else expect(reference.users).toEqual([]);
          }
        }
      }),
      { runs: 150 },
    );
  });

  test("never names a wrong author as certain, and a tie names the right one", () => {
    check(
      fc.property(steps, (script) => {
        for (const { event, changes } of played(script).judged)
          for (const { verdict } of changes) expectTrue(verdict, event);
      }),
      { runs: 150 },
    );
  });

  test("never does so either when a bound took candidates away: what is settled is settled by all that arrived", () => {
    check(
      fc.property(steps, fc.integer({ min: 1, max: 3 }), (script, capacity) => {
        for (const { event, reference, changes } of played(script, capacity).judged) {
          expect(changes).toHaveLength(reference.operation === null ? 0 : 1);
          for (const { verdict } of changes) {
            if (verdict.tier === "tie") for (const user of usersOf(verdict)) expect(reference.asked).toContain(user);
            else if (verdict.author !== null) {
              expect(reference.users).toEqual([verdict.author.user]);
              expectTrue(verdict, event);
            }
          }
        }
      }),
      { runs: 150 },
    );
  });

  test("evidence changes the order of a tie, never who is in it", () => {
    check(
      fc.property(steps, (script) => {
        for (const { before, after } of played(script).amended) {
          expect(after.tier).toBe("tie");
          expect(before?.tier).toBe("tie");
          if (before === undefined) continue;
          expect(usersOf(after).toSorted()).toEqual(usersOf(before).toSorted());
          expect(after.author).toBe(after.candidates[0]);
        }
      }),
      { runs: 150 },
    );
  });
});
