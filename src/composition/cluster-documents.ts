/**
 * The rule documents that are custom resources: a watch for each kind, and what the API server has of them now. Owns the watches.
 *
 * 1. Nothing is told before every kind has been listed whole: half of the rules would end watches.
 * 2. Changes that come together are told once, `settleMs` after the last one, and `patienceMs` after the first at the latest.
 */
import { WatchManager } from "../../actors/watch-manager.ts";
import { resourceKeyOf, typeKeyOf } from "../../machines/messages.ts";
import type { ResourceKey, ResourceType, TypeKey, WatchEvent, WatchMessage } from "../../machines/messages.ts";
import type { Timer } from "../../actors/ports.ts";
import { apiVersion, type RuleDocument } from "../config/documents.ts";
import type { CustomResource } from "../config/accept-documents.ts";
import { createWatchSource } from "../kubernetes/api-watch-source.ts";
import type { ClusterApi, EnginePorts } from "./engine-ports.ts";

/** As it stands in the cluster. */
export interface StoredDocument extends CustomResource {
  readonly resourceVersion: string;
}

const settleMs = 500;
const patienceMs = 5_000;

const [group = "", version = ""] = apiVersion.split("/");

const kinds = new Map<RuleDocument["kind"], ResourceType>(
  (
    [
      ["GitRepoConfig", "gitrepoconfigs", true],
      ["WatchRule", "watchrules", true],
      ["ClusterWatchRule", "clusterwatchrules", false],
    ] as const
  ).map(([kind, resource, namespaced]) => {
    const key = typeKeyOf(group, resource);
    return [kind, { key, group, version, resource, kind, namespaced, scalable: false }];
  }),
);

/** What rule documents are as resources. */
export const documentTypes: readonly ResourceType[] = [...kinds.values()];

/** Null: it is none, or none any more. One that is being deleted is a rule no more. */
export function storedDocumentOf(event: WatchEvent): StoredDocument | null {
  const { kind, type, namespace, name, resourceVersion, terminating, bytes } = event;
  const [documentKind] = [...kinds].find(([, { key: known }]) => known === type.key) ?? [];
  if (kind === "DELETED" || terminating || documentKind === undefined) return null;
  return { kind: documentKind, namespace, name, resourceVersion, json: Buffer.from(bytes).toString() };
}

export class ClusterDocuments implements AsyncDisposable {
  readonly #ports: EnginePorts;
  readonly #changed: (documents: readonly StoredDocument[]) => void;
  readonly #watches: WatchManager;
  readonly #documents = new Map<ResourceKey, StoredDocument>();
  readonly #listed = new Set<TypeKey>();
  #settling: Timer | null = null;
  #waitingSinceMs: number | null = null;

  /** `changed` gets all of them, whenever one is another. */
  constructor(api: ClusterApi, ports: EnginePorts, changed: (documents: readonly StoredDocument[]) => void) {
    this.#ports = ports;
    this.#changed = changed;
    this.#watches = new WatchManager({
      ...ports,
      // Its figures are about what is recorded.
      meter: { count: () => undefined, record: () => undefined, gauge: () => undefined },
      select: () => Promise.resolve({ types: documentTypes, uncertain: () => false }),
      source: createWatchSource({ api, clock: ports.clock }),
      cursorOf: () => null,
      sink: (message) => this.#receive(message),
    });
  }

  /** False: some kind cannot be read yet: are the CRDs there, and the right to watch them? */
  get synced(): boolean {
    return this.#listed.size === documentTypes.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#settling?.[Symbol.dispose]();
    await this.#watches[Symbol.asyncDispose]();
  }

  #receive(message: WatchMessage): void {
    switch (message.kind) {
      case "bookmarked":
        return;
      case "observed":
        this.#take(message.event);
        return this.#settle();
      case "listed": {
        const { type, items } = message;
        for (const [key, { kind }] of this.#documents) if (kind === type.kind) this.#documents.delete(key);
        for (const item of items) this.#take(item);
        this.#listed.add(type.key);
        return this.#settle();
      }
      default:
        return message satisfies never;
    }
  }

  #take(event: WatchEvent): void {
    const key = resourceKeyOf(event.type.key, event.namespace, event.name);
    const document = storedDocumentOf(event);
    if (document === null) this.#documents.delete(key);
    else this.#documents.set(key, document);
  }

  #settle(): void {
    if (!this.synced) return;
    const nowMs = this.#ports.clock.monotonicMs();
    this.#waitingSinceMs ??= nowMs;
    const leftMs = Math.max(0, patienceMs - (nowMs - this.#waitingSinceMs));
    this.#settling?.[Symbol.dispose]();
    this.#settling = this.#ports.clock.after(Math.min(settleMs, leftMs), () => {
      this.#waitingSinceMs = null;
      this.#changed([...this.#documents.values()]);
    });
  }
}
