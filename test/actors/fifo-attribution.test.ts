/** `--attribution fifo` through the engine: hits are of tier `fifo`, and it names the wrong one where it is known to. */

import { Subject } from "rxjs";
import { expect, test } from "vitest";
import { defaultEngineBounds, Engine } from "../../actors/engine.ts";
import type { CorrelationMessage } from "../../actors/engine.ts";
import { FifoAttribution } from "../../actors/fifo-attribution.ts";
import type { WatchMessage } from "../../machines/messages.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import type { CorrelationSketch, EventSketch } from "../fakes/messages.ts";
import { correlationOf, eventOf } from "../fakes/messages.ts";

test("names the first who asked for the content, and nobody after the time or beyond the capacity", () => {
  const clock = createSimulatedClock();
  const [meter, log] = [new FakeMeter(), new FakeLog()];
  const correlation$ = new Subject<CorrelationMessage>();
  const watch$ = new Subject<WatchMessage>();
  const said: string[] = [];
  const contentKey = (object: Uint8Array): string => Buffer.from(object).toString("utf8");
  using _engine = new Engine({
    clock,
    meter,
    log,
    bounds: defaultEngineBounds,
    contentEquals: () => false,
    correlation$,
    watch$,
    outlet: (message) => {
      if (message.kind !== "changed") return;
      const { name, verdict } = message.change;
      said.push(`${name} ${verdict.tier} ${verdict.author?.user ?? "nobody"}`);
    },
    strategy: new FifoAttribution({ clock, contentKey, capacity: 2 }),
  });
  const review = (sketch: Partial<CorrelationSketch> & { readonly user: string }): void => {
    const object = Buffer.from(sketch.object ?? "x");
    correlation$.next({ correlation: correlationOf({ operation: "CREATE", ...sketch }), object });
  };
  const see = (sketch: Partial<EventSketch> & { readonly version: number }): void => {
    watch$.next({ kind: "observed", event: eventOf({ kind: "ADDED", object: "x", ...sketch }), epoch: 0 });
  };
  review({ user: "mallory, whose write failed" });
  review({ user: "ann" });
  see({ version: 10 });
  review({ user: "bob", name: "b" });
  clock.advance(60_001);
  see({ version: 11, name: "b" });
  for (const name of ["c", "d", "e"]) review({ user: name, name });
  for (const [at, name] of ["c", "d", "e"].entries()) see({ version: 12 + at, name });
  expect(said).toEqual([
    "a fifo mallory, whose write failed",
    "b unresolved nobody",
    "c unresolved nobody",
    "d fifo d",
    "e fifo e",
  ]);
});
