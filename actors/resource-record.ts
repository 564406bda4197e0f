/** What is left of a passivated resource actor: enough to come back with the same answers, in a few hundred bytes. */
import type { ObjectHash, ResourceVersion, Uid, Verdict } from "../machines/messages.ts";

export type ResourceState = "unseen" | "live" | "terminating" | "gone";

export interface ResourceRecord {
  readonly state: "live" | "terminating";
  readonly epoch: number;
  readonly uid: Uid;
  readonly resourceVersion: ResourceVersion;
  readonly objectHash: ObjectHash;
  readonly restHash: ObjectHash;
  readonly replicas: number | null;
  /** As in Pending. */
  readonly markedThrough: ResourceVersion | "";
  /** Evidence may still bear on the last change (K37). */
  readonly tie: Verdict | null;
}
