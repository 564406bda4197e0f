/**
 * The state chart of one resource: which message leads where. What a message does to the context stands in resource-changes.ts.
 * Effects are data, in order, replaced with every message.
 *
 * 1. An event at or below the known resourceVersion of its epoch has no effect: repeats and old relists change nothing.
 * 2. The event that first sets `deletionTimestamp` is the deletion; nothing that follows it makes a commit (K11, K33).
 */
import { assign, setup } from "xstate";

import {
  blankResource,
  correlate,
  create,
  doubt,
  end,
  isRepeat,
  miss,
  move,
  remember,
  stay,
  update,
  withdraw,
} from "./resource-changes.ts";
import type { ResourceContext, ResourceEvent } from "./resource-changes.ts";

const isShown = (event: ResourceEvent) => event.type === "observed" || event.type === "listed";

export const resourceMachine = setup({
  types: { context: {} as ResourceContext, events: {} as ResourceEvent },
  guards: {
    repeats: ({ context, event }) => isShown(event) && isRepeat(context, event),
    deletes: ({ event }) => event.type === "observed" && event.event.kind === "DELETED",
    terminates: ({ event }) => isShown(event) && event.event.terminating,
    wasTerminating: ({ event }) => event.type === "remembered" && event.terminating,
  },
  actions: {
    correlate: assign(({ context, event }) => (event.type === "correlated" ? correlate(context, event) : {})),
    withdraw: assign(({ context, event }) => (event.type === "removed" ? withdraw(context, event) : {})),
    create: assign(({ context, event }) => (isShown(event) ? create(context, event) : {})),
    update: assign(({ context, event }) => (isShown(event) ? update(context, event) : {})),
    end: assign(({ context, event }) => (isShown(event) ? end(context, event) : {})),
    move: assign(({ context, event }) => (isShown(event) ? move(context, event) : {})),
    miss: assign(({ context, event }) => (event.type === "missing" ? miss(context, event) : {})),
    stay: assign(({ context, event }) => (event.type === "missing" ? stay(context, event) : {})),
    remember: assign(({ context, event }) => (event.type === "remembered" ? remember(context, event) : {})),
    doubt: assign(({ context, event }) => (event.type === "doubted" ? doubt(context, event) : {})),
    rest: assign({ effects: [] }),
  },
}).createMachine({
  id: "resource",
  context: blankResource,
  initial: "unseen",
  on: {
    correlated: { actions: "correlate" },
    removed: { actions: "withdraw" },
    doubted: { actions: "doubt" },
    missing: { actions: "rest" },
    remembered: { actions: "rest" },
  },
  states: {
    unseen: {
      on: {
        remembered: [
          { guard: "wasTerminating", target: "terminating", actions: "remember" },
          { target: "live", actions: "remember" },
        ],
        observed: [
          { guard: "repeats", actions: "rest" },
          { guard: "deletes", target: "gone", actions: "end" },
          { guard: "terminates", target: "terminating", actions: "end" },
          { target: "live", actions: "create" },
        ],
        listed: [
          { guard: "repeats", actions: "rest" },
          { guard: "terminates", target: "terminating", actions: "move" },
          { target: "live", actions: "create" },
        ],
      },
    },
    live: {
      on: {
        observed: [
          { guard: "repeats", actions: "rest" },
          { guard: "deletes", target: "gone", actions: "end" },
          { guard: "terminates", target: "terminating", actions: "end" },
          { actions: "update" },
        ],
        listed: [
          { guard: "repeats", actions: "rest" },
          { guard: "terminates", target: "terminating", actions: "end" },
          { actions: "update" },
        ],
        missing: { target: "gone", actions: "miss" },
      },
    },
    terminating: {
      on: {
        observed: [
          { guard: "repeats", actions: "rest" },
          { guard: "deletes", target: "gone", actions: "move" },
          { guard: "terminates", actions: "move" },
          { target: "live", actions: "create" },
        ],
        listed: [
          { guard: "repeats", actions: "rest" },
          { guard: "terminates", actions: "move" },
          { target: "live", actions: "create" },
        ],
        missing: { target: "gone", actions: "stay" },
      },
    },
    gone: {
      on: {
        observed: [
          { guard: "repeats", actions: "rest" },
          { guard: "deletes", actions: "move" },
          { guard: "terminates", target: "terminating", actions: "move" },
          { target: "live", actions: "create" },
        ],
        listed: [
          { guard: "repeats", actions: "rest" },
          { guard: "terminates", target: "terminating", actions: "move" },
          { target: "live", actions: "create" },
        ],
        missing: { actions: "stay" },
      },
    },
  },
});
