/** What the composition of the engine is filled with: Node's, or a simulation's. */
import type { Clock, FileSystem, Log, Random } from "../../actors/ports.ts";
import type { PrometheusMeter } from "../telemetry/meter.ts";

export interface EnginePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: FileSystem;
  readonly meter: PrometheusMeter;
  readonly log: Log;
  /** Aborted: whatever is still starting gives up. */
  readonly signal: AbortSignal;
}
