/**
 * The state chart of one target branch: when to flush, when to back off, when to catch up. What is flushed and what is known of
 * each type stands in BranchLedger; this chart hears of it by edges only (the queue is no longer empty, a type detached), never
 * once for each change. docs/machines/branch.md has the picture.
 */

import { assign, setup } from "xstate";
import { backoffCeilingMs } from "./backoff.ts";
import type { Retry } from "./error.ts";

/** Facts, told by the actor. */
export type BranchEvent =
  /** Something waits for a flush. `holding`: first lists are still missing. */
  | { readonly type: "collected"; readonly holding: boolean }
  /** Enough for a full flush waits, or the last first list came: no window is needed any more. */
  | { readonly type: "filled" }
  /** Somebody waits for durability: until `calmed`, no window and no hold. */
  | { readonly type: "hurried" }
  | { readonly type: "calmed" }
  | { readonly type: "windowElapsed" }
  | { readonly type: "backoffElapsed" }
  /** `next`: what is left waits for a window, is a backlog that goes at once, or there is nothing. */
  | { readonly type: "flushed"; readonly next: "nothing" | "window" | "backlog" }
  | { readonly type: "failed"; readonly retry: Retry }
  /** The actor itself is at fault. */
  | { readonly type: "broken" }
  /** A type was detached. */
  | { readonly type: "detached" }
  /** The backlog has room for a catch-up. */
  | { readonly type: "relieved" }
  /** What the catch-up, or the list that was held back, could give is taken. `more`: types are detached still. */
  | { readonly type: "caughtUp"; readonly more: boolean }
  /** A list is held back until the shared watch has passed it. */
  | { readonly type: "held" }
  | { readonly type: "crowded" }
  /** The catch-up reads on in a cluster that was restored from a backup meanwhile. */
  | { readonly type: "outdated" }
  | { readonly type: "catchUpFailed" }
  | { readonly type: "restElapsed" };

/** Orders to the actor. */
export type BranchEffect =
  /** Send `windowElapsed` when the oldest waiting entry is `batchWindowMs` old. */
  | { readonly kind: "armWindow" }
  /** Send `windowElapsed` when first lists were awaited for `snapshotWaitMs`. */
  | { readonly kind: "armSnapshotWait" }
  /** Send `backoffElapsed` after a random part of `ceilingMs`. */
  | { readonly kind: "armBackoff"; readonly ceilingMs: number }
  | { readonly kind: "disarm" }
  | { readonly kind: "flush" }
  | { readonly kind: "startCatchUp" }
  | { readonly kind: "stopCatchUp"; readonly failed: boolean }
  /** Close the catch-up's stream, keep its list. */
  | { readonly kind: "closeStream" }
  /** Send `restElapsed` after a random part of `ceilingMs`. */
  | { readonly kind: "armRest"; readonly ceilingMs: number }
  | { readonly kind: "disarmRest" }
  /** Nothing helps: let go of everything, say so. */
  | { readonly kind: "giveUp" };

export interface BranchContext {
  readonly hurried: boolean;
  /** Failed flushes in a row. */
  readonly failures: number;
  readonly catchUpFailures: number;
}

const branchSetup = setup({
  types: { context: {} as BranchContext, events: {} as BranchEvent },
  actions: {
    /** Never run by XState: `transition` hands it to the actor. */
    effect: (_, _effect: BranchEffect) => {},
  },
  guards: {
    hurried: ({ context }) => context.hurried,
  },
});

const armWindow = { type: "effect", params: { kind: "armWindow" } } as const;
const armSnapshotWait = { type: "effect", params: { kind: "armSnapshotWait" } } as const;
const disarm = { type: "effect", params: { kind: "disarm" } } as const;
const flush = { type: "effect", params: { kind: "flush" } } as const;
const startCatchUp = { type: "effect", params: { kind: "startCatchUp" } } as const;
const pauseCatchUp = { type: "effect", params: { kind: "stopCatchUp", failed: false } } as const;
const failCatchUp = { type: "effect", params: { kind: "stopCatchUp", failed: true } } as const;
const closeStream = { type: "effect", params: { kind: "closeStream" } } as const;
const disarmRest = { type: "effect", params: { kind: "disarmRest" } } as const;
const giveUp = { type: "effect", params: { kind: "giveUp" } } as const;

export const branchMachine = branchSetup.createMachine({
  id: "branch",
  type: "parallel",
  context: { hurried: false, failures: 0, catchUpFailures: 0 },
  on: {
    hurried: { actions: assign({ hurried: true }) },
    calmed: { actions: assign({ hurried: false }) },
  },
  states: {
    flow: {
      initial: "idle",
      on: { broken: ".stopped" },
      states: {
        idle: {
          on: {
            collected: [
              { guard: "hurried", target: "flushing" },
              { guard: ({ event }) => event.holding, target: "holding" },
              { target: "collecting" },
            ],
          },
        },
        /** First contact: the first lists share one commit. */
        holding: {
          entry: armSnapshotWait,
          exit: disarm,
          on: {
            windowElapsed: "flushing",
            filled: "flushing",
            hurried: { target: "flushing", actions: assign({ hurried: true }) },
          },
        },
        collecting: {
          entry: armWindow,
          exit: disarm,
          on: {
            windowElapsed: "flushing",
            filled: "flushing",
            hurried: { target: "flushing", actions: assign({ hurried: true }) },
          },
        },
        flushing: {
          entry: flush,
          on: {
            flushed: [
              { guard: ({ event }) => event.next === "nothing", target: "idle", actions: assign({ failures: 0 }) },
              {
                guard: ({ event, context }) => event.next === "backlog" || context.hurried,
                target: "flushing",
                reenter: true,
                actions: assign({ failures: 0 }),
              },
              { target: "collecting", actions: assign({ failures: 0 }) },
            ],
            failed: [
              { guard: ({ event }) => event.retry === "never", target: "stopped" },
              { target: "backingOff", actions: assign({ failures: ({ context }) => context.failures + 1 }) },
            ],
          },
        },
        backingOff: {
          entry: {
            type: "effect",
            params: ({ context }) => ({ kind: "armBackoff", ceilingMs: backoffCeilingMs(context.failures) }),
          },
          exit: disarm,
          on: {
            backoffElapsed: "flushing",
            hurried: { target: "flushing", actions: assign({ hurried: true }) },
          },
        },
        stopped: { entry: giveUp },
      },
    },
    supply: {
      initial: "attached",
      states: {
        attached: { on: { detached: "detached" } },
        /** Waits for room: the room comes when Git works. */
        detached: { on: { relieved: "catchingUp" } },
        catchingUp: {
          entry: startCatchUp,
          on: {
            caughtUp: [
              {
                guard: ({ event }) => event.more,
                target: "detached",
                actions: [pauseCatchUp, assign({ catchUpFailures: 0 })],
              },
              { target: "attached", actions: [pauseCatchUp, assign({ catchUpFailures: 0 })] },
            ],
            held: { target: "awaitingLive", actions: closeStream },
            crowded: { target: "detached", actions: pauseCatchUp },
            outdated: { target: "detached", actions: pauseCatchUp },
            catchUpFailed: {
              target: "resting",
              actions: [failCatchUp, assign({ catchUpFailures: ({ context }) => context.catchUpFailures + 1 })],
            },
          },
        },
        /** The stream is closed, the list is kept. */
        awaitingLive: {
          on: {
            caughtUp: [{ guard: ({ event }) => event.more, target: "detached" }, { target: "attached" }],
          },
        },
        resting: {
          entry: {
            type: "effect",
            params: ({ context }) => ({ kind: "armRest", ceilingMs: backoffCeilingMs(context.catchUpFailures) }),
          },
          exit: disarmRest,
          on: { restElapsed: "detached" },
        },
      },
    },
  },
});
