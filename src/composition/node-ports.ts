/** The engine's ports on what this process has: Node's clock, files, sockets and threads. */
import { randomBytes } from "node:crypto";

import type { Log } from "../../actors/ports.ts";
import { PeerClient } from "../admission/peer-client.ts";
import { startAdmissionServer } from "../admission/server.ts";
import { createPiscinaCommitPool } from "../git/piscina-pool.ts";
import { HttpsApiServer } from "../kubernetes/api-server.ts";
import type { ChangeFollower } from "../telemetry/change-follower.ts";
import type { PrometheusMeter } from "../telemetry/meter.ts";
import { startProbeServer } from "../telemetry/probes.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { nodeClock as clock, nodeRandom as random } from "./node-clock.ts";
import { createNodeFileSystem } from "./node-file-system.ts";
import { createProcessTable } from "./node-process-table.ts";
import { linkRemote } from "./node-remote.ts";
import { openSecretKeys } from "./secret-options.ts";

export interface NodePortsOptions {
  readonly meter: PrometheusMeter;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Null: nobody follows changes one by one. */
  readonly follower?: ChangeFollower | null;
}

const workerUrl = new URL("commit-worker.ts", import.meta.url).href;

export async function nodePorts({ meter, log, signal, follower = null }: NodePortsOptions): Promise<EnginePorts> {
  const files = createNodeFileSystem();
  return {
    clock,
    random,
    randomBytes,
    files,
    meter,
    log,
    signal,
    ...(follower === null ? {} : { follower }),
    processes: await createProcessTable(),
    openSecretKeys: (place, texts) =>
      openSecretKeys({
        files,
        clock,
        log,
        place,
        newKey: () => randomBytes(32),
        ...(texts === undefined ? {} : { texts }),
      }),
    connect: (kubeconfig) => new HttpsApiServer({ kubeconfig, clock, files, meter, log }),
    takeReviews: (options) => startAdmissionServer({ ...options, clock, files, meter, log }),
    serveProbes: (options) => startProbeServer({ ...options, exposition: () => meter.exposition(), log }),
    commitPool: (options) => createPiscinaCommitPool({ ...options, workerUrl }),
    connectPeers: (pass) => new PeerClient({ clock, pass }),
    openRemote: (site) => linkRemote(site, { fs: files, clock, environment: process.env }),
  };
}
