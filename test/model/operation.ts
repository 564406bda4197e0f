/** One request, to be sent to the model and to a real API server alike. What depends on what is there, each makes from its own. */

import type { JsonObject } from "../../src/simulator/json.ts";
import type { StormKind } from "../storm/kinds.ts";

export interface HttpRequest {
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query. */
  readonly path: string;
  readonly contentType: string;
  /** Null: none. */
  readonly body: object | null;
}

/** What the sender knows of the object: read now, and read at some time before; null where there was none. */
export interface Knowledge {
  readonly current: JsonObject | null;
  readonly older: JsonObject | null;
}

export interface Operation {
  readonly action: string;
  readonly kind: StormKind;
  readonly user: string;
  /** What is read before; empty: nothing. */
  readonly reads: string;
  /** Null: what was read is not there, and nothing is sent. */
  readonly make: (known: Knowledge) => HttpRequest | null;
}
