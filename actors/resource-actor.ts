/**
 * One resource, awake: runs its machine, one message after the other, and hands each effect on before the next message.
 *
 * 1. Messages are processed in the order of their arrival; one that arrives meanwhile waits in the mailbox.
 * 2. A message that makes the machine fail is tried again from the state before it. One that fails again and again is settled
 *    without the machine: an event is committed as it stands, unresolved and marked; a correlation is dropped.
 */
import type { SnapshotFrom } from "xstate";

import { unresolved } from "../machines/attribution.ts";
import type { Change, Correlation, Operation, ResourceKey, ResourceVersion, TypeKey } from "../machines/messages.ts";
import { forget, overlook } from "../machines/pending.ts";
import { blankResource, changeOf } from "../machines/resource-changes.ts";
import type { Listed, Observed, ResourceContext, ResourceEffect, ResourceEvent } from "../machines/resource-changes.ts";
import { resourceMachine } from "../machines/resource.ts";

import { inertScopeOf } from "./inert-scope.ts";
import { Mailbox } from "./mailbox.ts";
import type { ResourceRecord, ResourceState } from "./resource-record.ts";

export interface ResourceActorOptions {
  readonly key: ResourceKey;
  readonly typeKey: TypeKey;
  /** The mark of a resource without a record, as in Pending. */
  readonly markedThrough: ResourceVersion | "";
  readonly mailboxCapacity: number;
  /** How often a message is tried before it is settled without the machine. */
  readonly attempts: number;
  readonly apply: (effect: ResourceEffect, actor: ResourceActor) => void;
  readonly onFault: (fault: unknown, actor: ResourceActor, attempt: number) => void;
}

type ResourceSnapshot = SnapshotFrom<typeof resourceMachine>;

const scope = inertScopeOf(resourceMachine);

export class ResourceActor {
  readonly key: ResourceKey;
  readonly typeKey: TypeKey;
  readonly #options: ResourceActorOptions;
  readonly #mailbox: Mailbox<ResourceEvent>;
  #snapshot: ResourceSnapshot;
  #busy = false;

  constructor(record: ResourceRecord | null, options: ResourceActorOptions) {
    this.key = options.key;
    this.typeKey = options.typeKey;
    this.#options = options;
    this.#mailbox = new Mailbox(options.mailboxCapacity);
    this.#snapshot = revive(record, options.markedThrough);
  }

  get state(): ResourceState {
    return this.#snapshot.value;
  }

  get pendingCount(): number {
    return this.#snapshot.context.pending.fifo.length;
  }

  get context(): ResourceContext {
    return this.#snapshot.context;
  }

  /** False: the mailbox is full and the correlation was refused. Nothing else is ever refused. */
  receive(message: ResourceEvent): boolean {
    if (message.type !== "correlated") this.#mailbox.put(message);
    else if (!this.#mailbox.offer(message)) {
      this.#missed(message.entry.correlation);
      return false;
    }
    if (!this.#busy) this.#drain();
    return true;
  }

  /**
   * The record to come back from; null where there is nothing to remember (never seen, or gone); undefined while the actor
   * is needed: something waits in its mailbox or its FIFO.
   */
  passivate(): ResourceRecord | null | undefined {
    return this.#mailbox.size > 0 || this.pendingCount > 0 ? undefined : this.record();
  }

  /** What is known of the resource, pending correlations aside; null where it is nothing. */
  record(): ResourceRecord | null {
    const { known, pending, epoch, tie } = this.#snapshot.context;
    const { state } = this;
    if (known === null || state === "unseen" || state === "gone") return null;
    const { uid, resourceVersion, objectHash, restHash, replicas } = known;
    return {
      state,
      epoch,
      uid,
      resourceVersion,
      objectHash,
      restHash,
      replicas,
      markedThrough: pending.markedThrough,
      tie,
    };
  }

  #drain(): void {
    this.#busy = true;
    try {
      for (let message = this.#mailbox.take(); message !== undefined; message = this.#mailbox.take()) {
        for (const effect of this.#step(message)) this.#options.apply(effect, this);
      }
    } finally {
      this.#busy = false;
    }
  }

  #step(message: ResourceEvent): readonly ResourceEffect[] {
    for (let attempt = 1; attempt <= this.#options.attempts; attempt += 1) {
      try {
        const next = resourceMachine.transition(this.#snapshot, message, scope);
        this.#snapshot = next;
        return next.context.effects;
      } catch (fault) {
        this.#options.onFault(fault, this, attempt);
      }
    }
    return this.#settle(message);
  }

  /** The machine cannot say; so nobody is named, and the line goes on. */
  #settle(message: ResourceEvent): readonly ResourceEffect[] {
    const { pending } = this.context;
    const dropped = pending.fifo.map((each) => each.correlation);
    switch (message.type) {
      case "correlated":
        this.#missed(message.entry.correlation);
        return [{ kind: "drop", correlations: [message.entry.correlation], reason: "fault" }];
      case "doubted":
        this.#missed(message.correlation);
        return [];
      case "removed":
      case "missing":
      case "remembered":
        return [];
      case "observed":
      case "listed": {
        const { event, epoch } = message;
        const { uid, resourceVersion, objectHash, restHash, replicas } = event;
        const known = { uid, resourceVersion, objectHash, restHash, replicas };
        const value = event.kind === "DELETED" ? "gone" : event.terminating ? "terminating" : "live";
        const context = { ...blankResource, known, epoch, pending: forget(pending) };
        this.#snapshot = resourceMachine.resolveState({ value, context });
        return [
          { kind: "commit", change: asItStands(message) },
          { kind: "drop", correlations: dropped, reason: "fault" },
        ];
      }
      default:
        return message satisfies never;
    }
  }

  #missed(correlation: Correlation): void {
    const { value, context } = this.#snapshot;
    const pending = overlook(context.pending, correlation);
    this.#snapshot = resourceMachine.resolveState({ value, context: { ...context, pending } });
  }
}

function revive(record: ResourceRecord | null, mark: ResourceVersion | ""): ResourceSnapshot {
  if (record === null) {
    const pending = { fifo: [], markedThrough: mark };
    return resourceMachine.resolveState({ value: "unseen", context: { ...blankResource, pending } });
  }
  const { state, epoch, markedThrough, tie, ...known } = record;
  const context = { ...blankResource, known, epoch, pending: { fifo: [], markedThrough }, tie };
  return resourceMachine.resolveState({ value: state, context });
}

/** The event's plain meaning; nobody is named. */
function asItStands(shown: Observed | Listed): Change {
  const { kind, terminating } = shown.event;
  const operation: Operation = terminating || kind === "DELETED" ? "DELETE" : kind === "ADDED" ? "CREATE" : "UPDATE";
  return changeOf(shown, operation, { ...unresolved, faulted: true });
}
