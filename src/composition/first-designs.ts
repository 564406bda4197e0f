/** `--attribution fifo` and `--ingestion dual`: the designs before this one, as rollback and baseline. */
import { createHash } from "node:crypto";

import { DualIngestion } from "../../actors/dual-ingestion.ts";
import type { AttributionStrategy } from "../../actors/engine.ts";
import { FifoAttribution } from "../../actors/fifo-attribution.ts";
import type { Clock, Log, Meter } from "../../actors/ports.ts";
import type { BranchMessage, ResourceType, TypeKey } from "../../machines/messages.ts";
import { readObjectHead } from "../bytes/object-head.ts";
import type { RunOptions } from "../config/options.ts";
import { manifestOf } from "../sanitize/manifest.ts";

export interface FirstDesignPorts {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
  readonly outlet: (message: BranchMessage) => void;
  readonly typeOf: (typeKey: TypeKey) => ResourceType | undefined;
}

/** Null: the exact attribution of the watch's events. */
export function attributionStrategyOf(
  { ingestion, attribution }: Pick<RunOptions, "ingestion" | "attribution">,
  ports: FirstDesignPorts,
): AttributionStrategy | null {
  if (ingestion === "dual") return new DualIngestion({ ...ports, contentKey, isTerminating });
  if (attribution === "fifo") return new FifoAttribution({ ...ports, contentKey });
  return null;
}

function isTerminating(object: Uint8Array): boolean {
  return readObjectHead(object).terminating;
}

/** Sanitized on the main thread, in the webhook's path, as these designs did. The object itself says what kind it is. */
function contentKey(object: Uint8Array): string {
  const { yaml } = manifestOf(object, { group: "", kind: "", secrets: { policy: "keep" } });
  return createHash("sha256").update(yaml).digest("base64");
}
