/** Any interleaving of reviews and events of any number of users on one resource. */
import fc from "fast-check";
import { Subject } from "rxjs";
import { expect, it } from "vitest";

import type { CorrelationMessage } from "../../actors/engine.ts";
import { defaultEngineBounds, Engine } from "../../actors/engine.ts";
import type { Change, WatchMessage } from "../../machines/messages.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { correlationOf, eventOf } from "../fakes/messages.ts";

interface Attempt {
  readonly user: number;
  /** Two attempts on one base with the same content have equal bytes. */
  readonly content: number;
  /** Reads this many versions behind the newest: a stale first attempt. */
  readonly staleness: number;
  readonly unreviewed: boolean;
}

const attempt: fc.Arbitrary<Attempt> = fc.record({
  user: fc.integer({ min: 0, max: 9 }),
  content: fc.integer({ min: 0, max: 5 }),
  staleness: fc.constantFrom(0, 0, 0, 1, 2),
  unreviewed: fc.constantFrom(false, false, false, false, true),
});

/** How many events the watch has delivered by then, as a share of those that there are. */
const schedule = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 200, maxLength: 200 });

it("rapid-change order: one change for each write, in order, by its writer or marked", () => {
  fc.assert(
    fc.property(fc.array(attempt, { minLength: 1, maxLength: 60 }), schedule, (attempts, delays) => {
      const correlation$ = new Subject<CorrelationMessage>();
      const watch$ = new Subject<WatchMessage>();
      const changes: Change[] = [];
      using engine = new Engine({
        clock: createSimulatedClock(),
        meter: new FakeMeter(),
        log: new FakeLog(),
        bounds: defaultEngineBounds,
        contentEquals: () => false,
        correlation$,
        watch$,
        outlet: (message) => {
          if (message.kind === "changed") changes.push(message.change);
        },
      });
      // The store: version n has the content of the n-th write; a swap is won only on the newest version (K6).
      const writes: {
        readonly user: string;
        readonly reviewed: boolean;
        readonly content: string;
      }[] = [];
      const waiting: WatchMessage[] = [];
      const version = () => 10 + writes.length - 1;
      const persist = (user: string, reviewed: boolean, content: string) => {
        writes.push({ user, reviewed, content });
        const kind = writes.length === 1 ? "ADDED" : "MODIFIED";
        waiting.push({
          kind: "observed",
          event: eventOf({ kind, version: version(), object: content }),
          epoch: 0,
        });
      };
      correlation$.next({
        correlation: correlationOf({ arrival: 0, operation: "CREATE", user: "u0", object: "0" }),
        object: null,
      });
      persist("u0", true, "0");
      attempts.forEach(({ user, content, staleness, unreviewed }, index) => {
        const base = Math.max(10, version() - staleness);
        const seen = writes[base - 10]?.content ?? "";
        // Content is marked with its base, as managedFields are: the same text on another base is other bytes.
        const object = `${content}`;
        if (!unreviewed)
          correlation$.next({
            correlation: correlationOf({
              arrival: index + 1,
              operation: "UPDATE",
              user: `u${user}`,
              base,
              object,
              oldObject: seen,
            }),
            object: null,
          });
        if (base === version() && object !== seen) persist(`u${user}`, !unreviewed, object);
        for (let count = delays[index] ?? 0; count > 0 && waiting.length > 0; count -= 1) {
          const next = waiting.shift();
          if (next !== undefined) watch$.next(next);
        }
      });
      for (const message of waiting) watch$.next(message);

      expect(changes.map((change) => Number(change.resourceVersion))).toEqual(writes.map((_, index) => index + 10));
      changes.forEach(({ verdict }, index) => {
        const write = writes[index];
        if (write === undefined) throw new Error("a change without a write");
        if (verdict.tier === "tie") {
          if (write.reviewed) expect(verdict.candidates.map((candidate) => candidate.user)).toContain(write.user);
        } else if (verdict.author === null) expect(write.reviewed).toBe(false);
        else if (write.reviewed) expect(verdict.author.user).toBe(write.user);
      });
      expect(engine.registry.atRestCount + engine.registry.awakeCount).toBe(1);
    }),
    { numRuns: 300 },
  );
});
