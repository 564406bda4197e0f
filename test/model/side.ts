/** One of the two that are compared. */

import type { JsonObject } from "../../src/simulator/json.ts";
import type { HttpRequest } from "./operation.ts";

export interface Side {
  /** The object as it is; null where there is none. */
  read(path: string): Promise<JsonObject | null>;
  send(user: string, request: HttpRequest): Promise<number>;
  /** The raw reviews since the last time. */
  takeReviews(): readonly string[];
  /** The raw watch frames since the last time, at least so many: the real one waits for them. */
  takeEvents(atLeast: number): Promise<readonly string[]>;
}
