/** Everything `kubescribe run` can be told, checked: what the composition root builds the engine from. */

export interface RunOptions {
  /** Absolute path, or null: the credentials that a pod has. */
  readonly kubeconfig: string | null;
  /** Absolute path of a file or a directory of rule documents; null: they are custom resources. */
  readonly config: string | null;
  /** Null: nothing in the cluster is this process's to keep. */
  readonly installation: Installation | null;
  /** Prefixes of URLs and of absolute paths that custom resources may name. */
  readonly allow: readonly string[];
  readonly admission: AdmissionOptions;
  readonly metrics: Address;
  /** Absolute path. */
  readonly dataDir: string;
  /** Absolute path, or null: no remote has credentials. */
  readonly credentialsDir: string | null;
  /** Absolute path; null: the one in the data directory. */
  readonly installationKeyFile: string | null;
  readonly ingestion: Ingestion;
  readonly attribution: AttributionMode;
  readonly durability: Durability;
  readonly bounds: Bounds;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly telemetry: TelemetryOptions;
}

export interface TelemetryOptions {
  /** Null: nothing is sent anywhere. */
  readonly otlpEndpoint: string | null;
  /** Of the changes, from 0 to 1. */
  readonly traceRatio: number;
}

export interface Installation {
  /** Of its Lease, its Service, its webhook configuration; its Secret is called NAME-webhook. */
  readonly name: string;
  readonly namespace: string;
  readonly podName: string;
  /** A host without port. */
  readonly podAddress: string;
  /** Absolute path where the Secret is mounted; null: it is not. */
  readonly webhookDir: string | null;
  readonly renewalWaitSeconds: number;
}

export interface AdmissionOptions {
  readonly address: Address;
  /** Null: the pair and the path are those of the installation's Secret. */
  readonly tls: TlsFiles | null;
  /** `/correlate`, or one with an unguessable segment. */
  readonly path: string;
}

/** Absolute paths. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Address {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** `correlate`: only the watch makes events. `dual`: the arrangement before it, the documented rollback. */
export type Ingestion = "correlate" | "dual";
/** `exact`: DESIGN section 4. `fifo`: the first design, usernames in FIFO order. */
export type AttributionMode = "exact" | "fifo";
/** `flush`: each flush is synced before it counts. `second`: changes are collected for a second, then flushed and synced. */
export type Durability = "flush" | "second";
export type LogLevel = "debug" | "info" | "warn" | "error";
/** `auto`: lines for people on a terminal, JSON elsewhere. */
export type LogFormat = "auto" | "human" | "json";

/** I6: every bound, each with its unit. docs/CONFIGURATION.md says what happens at each. */
export interface Bounds {
  readonly pendingPerResource: number;
  readonly pendingTotal: number;
  readonly pendingContentBytes: number;
  readonly pendingTtlSeconds: number;
  readonly freshnessSeconds: number;
  readonly mailboxCapacity: number;
  readonly batchWindowMs: number;
  readonly flushChanges: number;
  readonly flushBytes: number;
  readonly backlogBytes: number;
  readonly snapshotWaitSeconds: number;
  readonly verdictLogEntries: number;
  readonly cursorCopySeconds: number;
  readonly reviewBytes: number;
  readonly reviewTotalBytes: number;
  readonly reviewConnections: number;
  readonly journalBytes: number;
  readonly journalSync: boolean;
  readonly commitThreads: number;
  readonly drainSeconds: number;
}

/** What `kubescribe verify` needs of it. */
export interface VerifyOptions {
  readonly kubeconfig: string | null;
  /** As of RunOptions. */
  readonly config: string | null;
  /** Of the installation, where the rules are of the cluster. */
  readonly namespace: string;
  readonly allow: readonly string[];
  readonly credentialsDir: string | null;
  readonly dataDir: string;
  readonly installationKeyFile: string | null;
  readonly json: boolean;
}
