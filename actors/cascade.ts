/**
 * On whose request a controller removed something: the garbage collector follows an owner, the namespace controller its
 * namespace (K34). Bounded; what is not known stays empty.
 */
import type { Change, Uid } from "../machines/messages.ts";

const garbageCollector = "system:serviceaccount:kube-system:generic-garbage-collector";
const namespaceController = "system:serviceaccount:kube-system:namespace-controller";

export class Cascade {
  readonly #capacity: number;
  readonly #causes = new Map<string, string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The same change, its cause filled in where it is a known cascade; remembers who removed what. */
  trace(change: Change): Change {
    if (change.operation !== "DELETE" || change.verdict.author === null) return change;
    const { user } = change.verdict.author;
    const causedBy = this.#causeOf(change, user);
    this.#remember(change, causedBy === "" ? user : causedBy);
    return causedBy === "" ? change : { ...change, verdict: { ...change.verdict, causedBy } };
  }

  #causeOf(change: Change, user: string): string {
    if (user === namespaceController) return this.#causes.get(namespaceCause(change.namespace)) ?? "";
    if (user !== garbageCollector) return "";
    for (const owner of ownersOf(change.bytes)) {
      const cause = this.#causes.get(owner);
      if (cause !== undefined) return cause;
    }
    return "";
  }

  #remember(change: Change, user: string): void {
    this.#set(change.uid, user);
    if (change.type.key === "core/namespaces") this.#set(namespaceCause(change.name), user);
  }

  #set(key: string, user: string): void {
    this.#causes.delete(key);
    this.#causes.set(key, user);
    if (this.#causes.size <= this.#capacity) return;
    for (const oldest of this.#causes.keys()) {
      this.#causes.delete(oldest);
      return;
    }
  }
}

/** No uid has a slash. */
function namespaceCause(name: string): string {
  return `namespace/${name}`;
}

/** Cascades by the garbage collector only: rare enough to parse. */
function ownersOf(bytes: Uint8Array): readonly Uid[] {
  const object = JSON.parse(new TextDecoder().decode(bytes)) as {
    readonly metadata?: { readonly ownerReferences?: readonly { readonly uid?: Uid }[] };
  };
  return (object.metadata?.ownerReferences ?? []).flatMap(({ uid }) => (uid === undefined ? [] : [uid]));
}
