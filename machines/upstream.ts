/**
 * The state chart of a branch's way to its remote: when to push, when to build anew on what others pushed, when to wait. Commits do not
 * wait for it: they are durable in the local repository before it hears of them. docs/machines/upstream.md has the picture.
 */

import { assign, setup } from "xstate";
import { backoffCeilingMs } from "./backoff.ts";
import type { Retry } from "./error.ts";

/** Facts, told by the actor. */
export type UpstreamEvent =
  /** The local branch, or what is known of its cursors, has moved. */
  | { readonly type: "moved" }
  /** The remote stands where the local branch stood when the push began: read back, not believed. */
  | { readonly type: "pushed" }
  /** The remote has all there is. */
  | { readonly type: "level" }
  /** The remote stands where nobody here has brought it. */
  | { readonly type: "stale" }
  /** What the remote lacked stands on its newest commit. */
  | { readonly type: "rebuilt" }
  /** What was to be sent was joined with others before it was read: it is asked for again. */
  | { readonly type: "repacked" }
  | { readonly type: "failed"; readonly retry: Retry }
  /** Somebody waits for the remote to be level: no more rests. */
  | { readonly type: "hurried" }
  | { readonly type: "backoffElapsed" }
  | { readonly type: "restElapsed" };

/** Orders to the actor. */
export type UpstreamEffect =
  | { readonly kind: "push" }
  | { readonly kind: "rebuild" }
  /** Send `backoffElapsed` after a random part of `ceilingMs`. */
  | { readonly kind: "armBackoff"; readonly ceilingMs: number }
  /** Send `restElapsed` when the least time between two pushes is over. */
  | { readonly kind: "armRest" }
  | { readonly kind: "disarm" }
  /** Nothing helps: say so. What is committed stays where it is. */
  | { readonly kind: "giveUp" };

export interface UpstreamContext {
  /** `moved` was heard since the push began. */
  readonly moved: boolean;
  /** In a row; a push that arrives ends it. */
  readonly failures: number;
  /** Rebuilds in a row: two that push to one branch may be ahead of each other again and again. */
  readonly rebuilds: number;
  /** In a row: packs are joined some flushes apart, so more are none. */
  readonly repacks: number;
}

const rebuildsAtOnce = 3;
const repacksAtOnce = 3;

/** False: that packs are gone when they are read is a failure like others. */
export function mayRepack({ repacks }: UpstreamContext): boolean {
  return repacks < repacksAtOnce;
}

const upstreamSetup = setup({
  types: { context: {} as UpstreamContext, events: {} as UpstreamEvent },
  actions: {
    /** Never run by XState: `transition` hands it to the actor. */
    effect: (_, _effect: UpstreamEffect) => {},
    noteMove: assign({ moved: true }),
    countFailure: assign({ failures: ({ context }) => context.failures + 1, rebuilds: 0, repacks: 0 }),
    countRepack: assign({ repacks: ({ context }) => context.repacks + 1 }),
  },
  guards: {
    moved: ({ context }) => context.moved,
    crowded: ({ context }) => context.rebuilds >= rebuildsAtOnce,
    hopeless: ({ event }) => event.type === "failed" && event.retry === "never",
  },
});

export const upstreamMachine = upstreamSetup.createMachine({
  id: "upstream",
  context: { moved: false, failures: 0, rebuilds: 0, repacks: 0 },
  initial: "level",
  states: {
    level: { on: { moved: "pushing" } },
    pushing: {
      entry: [assign({ moved: false }), { type: "effect", params: { kind: "push" } }],
      on: {
        moved: { actions: "noteMove" },
        pushed: { target: "resting", actions: assign({ failures: 0, rebuilds: 0, repacks: 0 }) },
        repacked: { target: "pushing", reenter: true, actions: "countRepack" },
        level: [{ guard: "moved", target: "pushing", reenter: true }, { target: "level" }],
        stale: [{ guard: "crowded", target: "backingOff", actions: "countFailure" }, { target: "rebuilding" }],
        failed: [
          { guard: "hopeless", target: "stopped" },
          { target: "backingOff", actions: "countFailure" },
        ],
      },
    },
    /** Changes come by the dozen a second, and a push costs the remote more than a commit costs us. */
    resting: {
      entry: { type: "effect", params: { kind: "armRest" } },
      exit: { type: "effect", params: { kind: "disarm" } },
      on: { restElapsed: "pushing", hurried: "pushing" },
    },
    rebuilding: {
      entry: [
        assign({ rebuilds: ({ context }) => context.rebuilds + 1 }),
        { type: "effect", params: { kind: "rebuild" } },
      ],
      on: {
        rebuilt: "pushing",
        failed: [
          { guard: "hopeless", target: "stopped" },
          { target: "backingOff", actions: "countFailure" },
        ],
      },
    },
    backingOff: {
      entry: {
        type: "effect",
        params: ({ context }) => ({ kind: "armBackoff", ceilingMs: backoffCeilingMs(context.failures) }),
      },
      exit: { type: "effect", params: { kind: "disarm" } },
      on: { backoffElapsed: "pushing", hurried: "pushing" },
    },
    stopped: { entry: { type: "effect", params: { kind: "giveUp" } } },
  },
});
