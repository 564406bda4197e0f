/** From the head of a raw object to a WatchEvent. */

import { KubescribeError } from "../../machines/error.ts";
import type { ResourceType, WatchEvent } from "../../machines/messages.ts";
import { objectHash, restHash } from "../bytes/object-hash.ts";
import type { ObjectHead } from "../bytes/object-head.ts";

export interface Decoding {
  readonly kind: WatchEvent["kind"];
  readonly type: ResourceType;
  readonly head: ObjectHead;
  /** Where `head` was read: may be a view of a buffer that is used again. */
  readonly source: Uint8Array;
  /** The same object in memory of its own. */
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

/** Throws `watch-object-incomplete` for an object that nothing could be said about. */
export function toWatchEvent({ kind, type, head, source, bytes, atMs }: Decoding): WatchEvent {
  const { name, uid, resourceVersion } = head;
  if (name === "" || uid === "" || resourceVersion === "") throw incomplete(type);
  return {
    kind,
    type,
    namespace: head.namespace,
    name,
    uid,
    resourceVersion,
    terminating: head.terminating,
    objectHash: objectHash(source, head),
    restHash: restHash(source, head),
    replicas: head.replicas,
    bytes,
    atMs,
  };
}

function incomplete(type: ResourceType): KubescribeError {
  return new KubescribeError(
    "watch-object-incomplete",
    `An object of ${type.key} lacks metadata.name, metadata.uid or a decimal metadata.resourceVersion. Leave the type out of the rules if its server cannot give them.`,
    { retry: "relist" },
  );
}
