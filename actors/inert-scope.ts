/**
 * The scope that a chart of pure assignments runs in: nothing is sent, spawned, logged or executed. XState's own `transition` makes
 * such a scope, with an actor and a system, at every call, which costs three times what the transition itself does; one that
 * nothing is written to can be shared.
 */
import type { AnyActorScope, AnyStateMachine } from "xstate";
import { createActor } from "xstate";

import { KubescribeError } from "../machines/error.ts";

/** The machine must have no action but `assign`; the scope throws at any other. */
export function inertScopeOf(machine: AnyStateMachine): AnyActorScope {
  const self = createActor(machine);
  const refuse = (): never => {
    throw new KubescribeError("chart-impure", `the chart ${machine.id} has an action that is no assignment`, {
      retry: "never",
    });
  };
  const { system } = self;
  return {
    self,
    system,
    id: "",
    sessionId: "",
    logger: () => undefined,
    defer: refuse,
    emit: refuse,
    stopChild: refuse,
    actionExecutor: refuse,
  };
}
