/** Owns the branch actors once they are open, and brings each message to those whose target wants its type. */
import type { BranchActor } from "../../actors/branch-actor.ts";
import type { Clock, Log } from "../../actors/ports.ts";
import type { BranchMessage, TypeKey } from "../../machines/messages.ts";
import type { RuleView } from "./rule-view.ts";

export class BranchRouter {
  readonly #rules: RuleView;
  #branches: ReadonlyMap<string, BranchActor> = new Map();

  constructor(rules: RuleView) {
    this.#rules = rules;
  }

  get branches(): ReadonlyMap<string, BranchActor> {
    return this.#branches;
  }

  /** Before any watch begins; nothing is routed until then. */
  opened(branches: ReadonlyMap<string, BranchActor>): void {
    this.#branches = branches;
  }

  receive(message: BranchMessage): void {
    if (message.kind === "covered") for (const branch of this.#branches.values()) branch.receive(message);
    else for (const branch of this.wanting(typeKeyOf(message))) branch.receive(message);
  }

  *wanting(typeKey: TypeKey): Iterable<BranchActor> {
    for (const [targetId, branch] of this.#branches) if (this.#rules.wants(targetId, typeKey)) yield branch;
  }

  /** Resolves when all that was received is committed, or patience ends; a target that cannot be flushed keeps no other from it. */
  async drain(patienceMs: number, { clock, log }: { readonly clock: Clock; readonly log: Log }): Promise<void> {
    const impatience = new AbortController();
    using _timer = clock.after(patienceMs, () => impatience.abort());
    await Promise.all(
      Array.from(this.#branches, async ([target, branch]) => {
        try {
          await branch.drain(impatience.signal);
        } catch (error) {
          const reason = error instanceof Error ? error.message : "unknown";
          log.warn("a target still had changes to commit; the API server will be asked for them again", {
            target,
            reason,
          });
        }
      }),
    );
  }
}

function typeKeyOf(message: Exclude<BranchMessage, { readonly kind: "covered" }>): TypeKey {
  switch (message.kind) {
    case "changed":
      return message.change.type.key;
    case "relisted":
      return message.type.key;
    case "progressed":
    case "amended":
      return message.typeKey;
    default:
      return message satisfies never;
  }
}
