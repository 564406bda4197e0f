/**
 * The state chart of one resource type's watch: what to ask the API server for next, and whether an answer may be passed on.
 * Events of the stream itself do not come here (an actor admits them one by one); what begins and ends streams does.
 *
 * 1. A stream begins only behind a quorum LIST that counts at least as high as anything that was seen in this epoch, or right behind
 *    a list (K48); at a version that is open (cursor.ts) it begins before it.
 * 2. A list is passed on only if it is complete and, within an epoch, not older than `position` (K25, K26).
 * 3. `unbroken` is said of a list at exactly the beginning of the start's stream only (K47).
 * 4. What was missed, or may have been, ends in a list, never in a stream from `position`.
 * 5. Each failure waits before the next request. Not so: a stream that said something and ended by itself, the first 410, and
 *    the refusal of a WatchList, which comes once.
 */

import { assign, initialTransition, setup, transition } from "xstate";
import type { SnapshotFrom } from "xstate";

import { versionBefore } from "./cursor.ts";
import { compareResourceVersions } from "./messages.ts";
import type { Cursor, ResourceVersion } from "./messages.ts";
import { nextNeed, waitFor } from "./watch-plan.ts";
import type { WatchNeed, WatchWait } from "./watch-plan.ts";
import { faultOf } from "./watch-fault.ts";
import type { FaultKind, WatchFault } from "./watch-fault.ts";

export interface WatchContext {
  readonly epoch: number;
  /** Read, and passed on; null before the first list of an epoch. */
  readonly position: Cursor | null;
  /** What others had seen of this epoch when the watch began; null in an epoch that began later. */
  readonly seen: Cursor | null;
  readonly need: WatchNeed;
  /** Ask for initial events in the stream (WatchList), until that is refused. */
  readonly watchList: boolean;
  /** Failures since a stream last said something. */
  readonly failures: number;
  /** Of these, versions that were gone: a restarted API server's history begins anew, so the first one is no reason to wait. */
  readonly gone: number;
  readonly wait: WatchWait;
}

export type WatchInput =
  /** `seen`: the highest of the cursors; those of an older epoch than its own mean nothing now. */
  | { readonly type: "started"; readonly cursor: Cursor | null; readonly seen: Cursor | null }
  /** A quorum LIST of one item was answered at this version. `heard`: how far others had read when it was asked for. */
  | { readonly type: "probed"; readonly version: ResourceVersion; readonly heard: Cursor | null }
  /** A list is complete. `continues`: it came by WatchList, whose stream goes on. */
  | { readonly type: "listed"; readonly version: ResourceVersion; readonly continues: boolean }
  /** `at`: how far the stream was passed on; null where there was none. `productive`: it said something. */
  | {
      readonly type: "failed";
      readonly fault: WatchFault;
      readonly at: Cursor | null;
      readonly productive: boolean;
    }
  | { readonly type: "ended"; readonly at: Cursor | null }
  | { readonly type: "elapsed" }
  | { readonly type: "stopped" };

export type WatchEffect =
  /** Quorum LIST, one item. */
  | { readonly kind: "probe" }
  | {
      readonly kind: "list";
      readonly method: "watch-list" | "pages";
      /** At exactly, or not older than, `version`; or the latest. */
      readonly match: "exact" | "not-older" | "latest";
      readonly version: ResourceVersion | "";
    }
  | { readonly kind: "stream"; readonly from: ResourceVersion }
  /** Pass on the list that has just been completed. */
  | {
      readonly kind: "emit";
      readonly version: ResourceVersion;
      readonly epoch: number;
      readonly unbroken: boolean;
    }
  | ({ readonly kind: "wait" } & WatchWait)
  /** For the meter: the watch goes on in another way than by reading. */
  | { readonly kind: "restarted"; readonly reason: FaultKind | "ended" | "epoch" }
  | { readonly kind: "stop" };

const chart = setup({
  types: { context: {} as WatchContext, events: {} as WatchInput },
  actions: {
    perform: (_, _effect: WatchEffect): void => undefined,
    fail: assign(({ context, event }) => {
      if (event.type !== "failed") return {};
      const failures = (event.productive ? 0 : context.failures) + 1;
      return {
        position: event.at ?? context.position,
        need: nextNeed(context.need, event.fault.kind, failures),
        failures,
        gone: (event.productive ? 0 : context.gone) + (event.fault.kind === "gone" ? 1 : 0),
        wait: waitFor(event.fault, failures),
      };
    }),
    /** A server that ignores what it does not know never says that its initial events have ended. */
    doubtWatchList: assign(({ context, event }) => ({
      watchList: context.watchList && !(event.type === "failed" && event.fault.kind === "silent"),
    })),
    refuseWatchList: assign({ watchList: false }),
    fence: assign(({ context }) => ({
      need: "latest" as const,
      failures: context.failures + 1,
      wait: waitFor(faultOf("fenced"), context.failures + 1),
    })),
    adopt: assign(({ context, event }) => {
      if (event.type !== "listed") return {};
      return { position: { epoch: context.epoch, resourceVersion: event.version }, need: "stream" as const };
    }),
    beginEpoch: assign(({ context, event }) => ({
      epoch: Math.max(context.epoch + 1, (event.type === "probed" ? event.heard?.epoch : undefined) ?? 0),
      position: null,
      seen: null,
      need: "latest" as const,
    })),
  },
  guards: {
    countsLower: ({ context: { epoch, position, seen }, event }) => {
      if (event.type !== "probed") return false;
      const { version, heard } = event;
      // Whoever has begun a newer epoch has been told so by the server.
      if (heard !== null && heard.epoch > epoch) return true;
      return [position, seen, heard?.epoch === epoch ? heard : null].some((cursor) => isBelow(version, cursor));
    },
    isOld: ({ context: { position, need }, event }) =>
      // The exact list is where the stream begins, and nowhere else.
      event.type === "listed" && need !== "exact" && isBelow(event.version, position),
    continues: ({ event }) => event.type === "listed" && event.continues,
    unsupported: ({ context, event }) =>
      event.type === "failed" && event.fault.kind === "unsupported" && context.watchList,
    firstGone: ({ context, event }) =>
      event.type === "failed" && event.fault.kind === "gone" && (event.productive || context.gone === 0),
    needsStream: ({ context }) => context.need === "stream" && context.position !== null,
    isFirstRead: ({ context }) => context.need === "first" || context.need === "exact",
    hasSeen: ({ context }) => context.position !== null || context.seen !== null,
  },
});

const goneEffect = { type: "perform", params: { kind: "restarted", reason: "gone" } } as const;

/** Listing and relisting differ in what they mean, and in nothing else. */
const readingList = chart.createStateConfig({
  entry: { type: "perform", params: ({ context }) => listEffect(context) },
  on: {
    listed: [
      { guard: "isOld", target: "backingOff", actions: "fence" },
      {
        guard: "continues",
        target: "streaming",
        actions: [{ type: "perform", params: ({ context, event }) => emitEffect(context, event) }, "adopt"],
      },
      {
        target: "streaming",
        actions: [
          { type: "perform", params: ({ context, event }) => emitEffect(context, event) },
          "adopt",
          { type: "perform", params: ({ context }) => streamEffect(context) },
        ],
      },
    ],
    failed: [
      { guard: "unsupported", target: "deciding", actions: "refuseWatchList" },
      { guard: "firstGone", target: "deciding", actions: ["fail", goneEffect] },
      { target: "backingOff", actions: ["fail", "doubtWatchList"] },
    ],
  },
});

const machine = chart.createMachine({
  id: "watch",
  context: {
    epoch: 0,
    position: null,
    seen: null,
    need: "first",
    watchList: true,
    failures: 0,
    gone: 0,
    wait: waitFor(faultOf("fenced"), 1),
  },
  initial: "stopped",
  on: { stopped: { target: ".stopped", actions: { type: "perform", params: { kind: "stop" } } } },
  states: {
    stopped: {
      on: {
        started: {
          target: "deciding",
          actions: assign(({ event: { cursor, seen } }) => {
            const epoch = seen?.epoch ?? 0;
            const outlived = cursor !== null && cursor.epoch < epoch;
            const need = cursor === null ? "first" : outlived ? "latest" : "exact";
            return { epoch, seen, position: outlived ? null : cursor, need } as const;
          }),
        },
        stopped: {},
      },
    },
    deciding: {
      always: [
        { guard: "hasSeen", target: "probing" },
        { guard: "isFirstRead", target: "listing" },
        { target: "relisting" },
      ],
    },
    probing: {
      entry: { type: "perform", params: { kind: "probe" } },
      on: {
        probed: [
          {
            guard: "countsLower",
            target: "relisting",
            actions: ["beginEpoch", { type: "perform", params: { kind: "restarted", reason: "epoch" } }],
          },
          {
            guard: "needsStream",
            target: "streaming",
            actions: { type: "perform", params: ({ context }) => streamEffect(context) },
          },
          { guard: "isFirstRead", target: "listing" },
          { target: "relisting" },
        ],
        failed: { target: "backingOff", actions: "fail" },
      },
    },
    listing: readingList,
    relisting: readingList,
    streaming: {
      on: {
        ended: {
          target: "deciding",
          actions: [
            assign(({ context, event }) => ({
              position: event.at ?? context.position,
              failures: 0,
            })),
            { type: "perform", params: { kind: "restarted", reason: "ended" } },
          ],
        },
        failed: [
          { guard: "firstGone", target: "deciding", actions: ["fail", goneEffect] },
          { target: "backingOff", actions: "fail" },
        ],
      },
    },
    backingOff: {
      entry: [
        {
          type: "perform",
          params: ({ context }) => ({ kind: "restarted", reason: context.wait.reason }),
        },
        { type: "perform", params: ({ context }) => ({ kind: "wait", ...context.wait }) },
      ],
      on: { elapsed: "deciding" },
    },
  },
});

export type WatchSnapshot = SnapshotFrom<typeof machine>;
export type WatchPhase = "stopped" | "probing" | "listing" | "relisting" | "streaming" | "backingOff";

export function initialWatch(): WatchSnapshot {
  return initialTransition(machine)[0];
}

/** The next state, and what is to be done, in order. At most the last effect takes time. */
export function stepWatch(snapshot: WatchSnapshot, input: WatchInput): [WatchSnapshot, readonly WatchEffect[]] {
  const [next, actions] = transition(machine, snapshot, input);
  const effects: WatchEffect[] = [];
  for (const action of actions) if (action.type === "perform") effects.push(action.params as WatchEffect);
  return [next, effects];
}

function listEffect(context: WatchContext): WatchEffect {
  const { need, position, watchList } = context;
  if (need === "exact" && position !== null)
    return { kind: "list", method: "pages", match: "exact", version: beginning(position) };
  const method = watchList ? "watch-list" : "pages";
  if (need === "not-older" && position !== null)
    return { kind: "list", method, match: "not-older", version: position.resourceVersion };
  return { kind: "list", method, match: "latest", version: "" };
}

function streamEffect(context: WatchContext): WatchEffect {
  if (context.position === null) throw new Error("A watch must know where its stream begins.");
  return { kind: "stream", from: beginning(context.position) };
}

/** Where a stream begins that is to bring all that `position` has not. */
function beginning({ resourceVersion, uids }: Cursor): ResourceVersion {
  return uids === undefined ? resourceVersion : versionBefore(resourceVersion);
}

function isBelow(version: ResourceVersion, cursor: Cursor | null): boolean {
  return cursor !== null && compareResourceVersions(version, cursor.resourceVersion) < 0;
}

function emitEffect(context: WatchContext, event: WatchInput): WatchEffect {
  if (event.type !== "listed") throw new Error("Only a complete list is passed on.");
  return {
    kind: "emit",
    version: event.version,
    epoch: context.epoch,
    unbroken: context.need === "exact",
  };
}
