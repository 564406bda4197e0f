/** All that the composition of the engine has of the world: Node's (node-ports.ts), or a simulation's. */
import type { ApiServer, Clock, FileSystem, Log, Meter, Random, Remote } from "../../actors/ports.ts";
import type { PeerClient, PeerPass } from "../admission/peer-client.ts";
import type { AdmissionServer, AdmissionServerOptions } from "../admission/server.ts";
import type { Address } from "../config/options.ts";
import type { BranchPool } from "../git/commit-pool.ts";
import type { PiscinaCommitPoolOptions } from "../git/piscina-pool.ts";
import type { ChangeFollower } from "../telemetry/change-follower.ts";
import type { ProbeServerOptions } from "../telemetry/probes.ts";
import type { InstallationKeyPlace } from "../keys/installation-key.ts";
import type { KeyTexts } from "../keys/key-texts.ts";
import type { ProcessTable } from "./process-lock.ts";
import type { SecretOptionsOf } from "./secret-options.ts";

export interface EnginePorts {
  readonly clock: Clock;
  readonly random: Random;
  /** Nobody can guess them. */
  readonly randomBytes: (count: number) => Uint8Array;
  readonly files: FileSystem;
  readonly meter: Meter;
  readonly log: Log;
  /** Absent: nobody follows changes one by one. */
  readonly follower?: ChangeFollower;
  /** Aborted: whatever is still starting gives up. */
  readonly signal: AbortSignal;
  /** For the locks. */
  readonly processes: ProcessTable;
  /**
   * Under the lock of the data directory. `texts`: what keys are kept in; where it is absent, the data directory. Throws a KubescribeError
   * that says why a key cannot be used.
   */
  readonly openSecretKeys: (place: InstallationKeyPlace, texts?: KeyTexts) => Promise<SecretOptionsOf>;
  /** Null: the service account of the pod. Nothing is read before it is asked for something. */
  readonly connect: (kubeconfig: string | null) => ClusterApi;
  /** Resolves when reviews are taken; throws a KubescribeError that says why they cannot be. */
  readonly takeReviews: (options: ReviewsOptions) => Promise<ReviewListener>;
  /** Resolves when probes are answered; throws a KubescribeError that says why they cannot be. Metrics are served beside them. */
  readonly serveProbes: (options: ProbesOptions) => Promise<Listener>;
  /** Repositories must be there before they are opened. */
  readonly commitPool: (options: CommitPoolOptions) => BranchPool;
  /** The other replicas. `pass` is asked at each request: what opens their doors, or null. */
  readonly connectPeers: (pass: () => PeerPass | null) => Pick<PeerClient, "post"> & Disposable;
  /** Connects to nothing yet. Throws a KubescribeError where the URL cannot be used. */
  readonly openRemote: (site: RemoteSite) => Remote;
}

/** One branch of a remote, and the local repository that stands before it. */
export interface RemoteSite {
  readonly url: string;
  /** Null: no credentials. */
  readonly credentialsDirectory: string | null;
  /** Hosts that are not spoken to; null: whatever the URL says. */
  readonly refusesHost: ((host: string) => boolean) | null;
  readonly gitDirectory: string;
  /** Full names: the branch, and the state refs of the targets that write to it. */
  readonly refs: readonly string[];
}

export interface ClusterApi extends ApiServer, AsyncDisposable {
  /** Reads the credentials now. Throws a KubescribeError that says why they cannot be used. */
  refresh(): Promise<void>;
}

export interface Listener extends AsyncDisposable {
  /** With the port that was found free, where 0 was asked for. */
  readonly address: Address;
}

export type ReviewListener = Listener & Pick<AdmissionServer, "takePaths" | "showCertificate" | "retire">;
export type ReviewsOptions = Omit<AdmissionServerOptions, "clock" | "files" | "meter" | "log" | "createServer">;
export type ProbesOptions = Omit<ProbeServerOptions, "exposition" | "log">;
export type CommitPoolOptions = Omit<PiscinaCommitPoolOptions, "workerUrl">;
