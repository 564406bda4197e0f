/** The options of a command as a table: the parser, the help and docs/CONFIGURATION.md all read it. */

export interface OptionDefinition {
  readonly name: string;
  /** One letter: `-n` beside `--namespace`. */
  readonly short?: string;
  readonly group: string;
  /** `FILE`, `HOST:PORT`, `N`; null: a flag without a value. */
  readonly value: string | null;
  /** As it would be typed; null: none (absent, or required). */
  readonly fallback: string | null;
  readonly kind: OptionKind;
  readonly help: string;
}

export type OptionKind =
  | { readonly kind: "path"; readonly required: boolean }
  | { readonly kind: "address" }
  | { readonly kind: "url-path" }
  | { readonly kind: "text" }
  | { readonly kind: "web-url" }
  | { readonly kind: "share" }
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  | { readonly kind: "number"; readonly from: number; readonly to: number; readonly unit: string }
  | { readonly kind: "bytes"; readonly from: number; readonly to: number }
  | { readonly kind: "flag" };

const connection = "Cluster and rules";
const reviews = "Admission reviews";
const storage = "Data and behaviour";
const cluster = "In a cluster";
const memory = "Bounds on pending correlations";
const git = "Bounds on the way to Git";
const webhook = "Bounds on reviews";
const output = "Output";
const runs = "Runs";
const world = "What they meet";
const engine = "What is tried";
const repository = "Where to look";

/** Of an installation. */
export const defaultNamespace = "kubescribe-system";

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;
const tebibyte = 1024 ** 4;

const kubeconfigOption = path("kubeconfig", connection, {
  value: "FILE",
  help: "credentials and address of the cluster (in a pod: not needed)",
});

const configOption = path("config", connection, {
  value: "FILE|DIR",
  help: "rule documents: what to watch, and where it goes (default: the custom resources of the cluster)",
});

function credentialsOption(group: string): OptionDefinition {
  return path("credentials-dir", group, {
    value: "DIR",
    help: "Secrets of remotes, mounted as DIR/NAMESPACE/NAME/KEY; read again when they change",
  });
}

const outputOptions: readonly OptionDefinition[] = [
  choice("log-level", output, {
    choices: ["debug", "info", "warn", "error"],
    fallback: "info",
    help: "what is logged, to stderr",
  }),
  choice("log-format", output, {
    choices: ["auto", "human", "json"],
    fallback: "auto",
    help: "auto: human on a terminal, json elsewhere",
  }),
];

const installationOptions: readonly OptionDefinition[] = [
  text("installation", cluster, {
    value: "NAME",
    help: "this process is the installation of that name: it keeps its certificates, its webhook and its Lease",
  }),
  text("namespace", cluster, { value: "NAME", help: "where the installation is" }),
  text("pod-name", cluster, { value: "NAME", help: "of this process: who holds the Lease" }),
  text("pod-address", cluster, { value: "IP", help: "where other replicas reach this process" }),
  path("webhook-dir", cluster, {
    value: "DIR",
    help: "the Secret NAME-webhook, mounted: reviews are taken by it before the cluster is asked",
  }),
  seconds("renewal-wait-seconds", cluster, {
    fallback: 120,
    from: 1,
    to: 3600,
    help: "how long each step of a renewed certificate waits until every replica knows it",
  }),
  text("allow", cluster, {
    value: "LIST",
    help: "what custom resources may name beyond public Git servers: prefixes of URLs and of files, with commas between",
  }),
];

export const runOptionTable: readonly OptionDefinition[] = [
  kubeconfigOption,
  configOption,
  ...installationOptions,
  address("admission-address", reviews, {
    fallback: "0.0.0.0:8443",
    help: "where reviews are taken, over TLS",
  }),
  path("tls-cert-file", reviews, {
    value: "FILE",
    help: "certificate of the admission server, PEM (an installation makes its own)",
  }),
  path("tls-key-file", reviews, { value: "FILE", help: "its private key, PEM" }),
  {
    name: "admission-path",
    group: reviews,
    value: "PATH",
    fallback: "/correlate",
    kind: { kind: "url-path" },
    help: "path of the reviews; add a segment that nobody can guess (an installation makes its own)",
  },
  address("metrics-address", storage, {
    fallback: "127.0.0.1:8080",
    help: "where /metrics, /livez and /readyz are",
  }),
  credentialsOption(storage),
  dataDirOption("journal, cursors, keys, local copies of remotes; one process at a time"),
  path("installation-key-file", storage, {
    value: "FILE",
    help: "what keys for Secrets are derived from, 64 hex digits (default: made in the data directory, of an installation in Secret NAME-keys)",
  }),
  ...designOptions(storage, "as a rollback"),
  choice("durability", storage, {
    choices: ["flush", "second"],
    fallback: "flush",
    help: "sync each flush, or flush and sync once a second",
  }),
  count("pending-per-resource", memory, {
    fallback: 256,
    to: 10_000,
    unit: "correlations",
    help: "of one resource",
  }),
  count("pending-total", memory, {
    fallback: 100_000,
    to: 10_000_000,
    unit: "correlations",
    help: "of all resources",
  }),
  bytes("pending-content-bytes", memory, {
    fallback: 64 * mebibyte,
    from: 0,
    to: 64 * gibibyte,
    help: "objects kept to compare contents",
  }),
  seconds("pending-ttl-seconds", memory, {
    fallback: 600,
    from: 1,
    to: 86_400,
    help: "how long a correlation waits for its change",
  }),
  seconds("freshness-seconds", memory, {
    fallback: 10,
    from: 1,
    to: 600,
    help: "how long one without bytes to prove it counts",
  }),
  count("mailbox-capacity", memory, {
    fallback: 1024,
    to: 1_000_000,
    unit: "messages",
    help: "of one resource",
  }),
  {
    name: "batch-window-ms",
    group: git,
    value: "MS",
    fallback: "10",
    kind: { kind: "number", from: 0, to: 60_000, unit: "milliseconds" },
    help: "how long a change may wait for others before a flush",
  },
  count("flush-changes", git, {
    fallback: 1000,
    to: 100_000,
    unit: "changes",
    help: "in one flush (one packfile)",
  }),
  bytes("flush-bytes", git, {
    fallback: 32 * mebibyte,
    from: mebibyte,
    to: gibibyte,
    help: "in one flush",
  }),
  bytes("backlog-bytes", git, {
    fallback: 256 * mebibyte,
    from: mebibyte,
    to: 64 * gibibyte,
    help: "changes waiting for one target, before it is detached",
  }),
  seconds("snapshot-wait-seconds", git, {
    fallback: 10,
    from: 0,
    to: 600,
    help: "how long the first commit waits for all types",
  }),
  count("verdict-log-entries", git, {
    fallback: 200_000,
    to: 10_000_000,
    unit: "verdicts",
    help: "kept for a detached target",
  }),
  seconds("cursor-copy-seconds", git, {
    fallback: 60,
    from: 1,
    to: 3600,
    help: "how often quiet cursors are written down",
  }),
  count("commit-threads", git, {
    fallback: 2,
    to: 64,
    unit: "threads",
    help: "that build commits",
  }),
  bytes("review-bytes", webhook, {
    fallback: 16 * mebibyte,
    from: 8 * mebibyte,
    to: gibibyte,
    help: "size of one review",
  }),
  bytes("review-total-bytes", webhook, {
    fallback: 256 * mebibyte,
    from: 16 * mebibyte,
    to: 64 * gibibyte,
    help: "size of all reviews being read",
  }),
  count("review-connections", webhook, {
    fallback: 1024,
    to: 65_535,
    unit: "connections",
    help: "of the admission server",
  }),
  bytes("journal-bytes", webhook, {
    fallback: gibibyte,
    from: mebibyte,
    to: tebibyte,
    help: "size of the journal of correlations",
  }),
  flag("journal-sync", webhook, "fsync the journal before each answer: survives a power cut, and is slower"),
  seconds("drain-seconds", webhook, {
    fallback: 5,
    from: 0,
    to: 50,
    help: "how long reviews are still answered at shutdown",
  }),
  {
    name: "otlp-endpoint",
    group: output,
    value: "URL",
    fallback: null,
    kind: { kind: "web-url" },
    help: "where metrics and traces are sent, by OTLP over HTTP: the URL before /v1/metrics",
  },
  {
    name: "trace-ratio",
    group: output,
    value: "SHARE",
    fallback: "0",
    kind: { kind: "share" },
    help: "of the changes that leave a trace, from 0 to 1; needs --otlp-endpoint",
  },
  ...outputOptions,
];

export const verifyOptionTable: readonly OptionDefinition[] = [
  kubeconfigOption,
  { ...configOption, help: "rule documents: what to compare (default: the custom resources of the cluster)" },
  text("allow", connection, {
    value: "LIST",
    help: "what custom resources may name, as the process that commits is told",
  }),
  credentialsOption(connection),
  {
    name: "namespace",
    short: "n",
    group: connection,
    value: "NAME",
    fallback: defaultNamespace,
    kind: { kind: "text" },
    help: "where the installation is: its keys are read from its Secret (with the rules of the cluster)",
  },
  dataDirOption("of the process that commits: its keys are read where no Secret has them"),
  path("installation-key-file", storage, { value: "FILE", help: "as that process is told" }),
  flag("json", output, "print the differences as one JSON document"),
];

export const simulateOptionTable: readonly OptionDefinition[] = [
  {
    name: "seed",
    group: runs,
    value: "N",
    fallback: "1",
    kind: { kind: "number", from: 1, to: 4_294_967_295, unit: "" },
    help: "seed of the first run; the next one has the next",
  },
  count("runs", runs, { fallback: 1, to: 1_000_000, unit: "runs", help: "side by side on the threads" }),
  count("changes", runs, {
    fallback: 1000,
    to: 100_000_000,
    unit: "changes",
    help: "that the cluster persists in a run",
  }),
  {
    name: "first-changes",
    group: runs,
    value: "N",
    fallback: null,
    kind: { kind: "number", from: 1, to: 100_000_000, unit: "changes" },
    help: "of the first run, where one is to be longer",
  },
  {
    name: "threads",
    group: runs,
    value: "N",
    fallback: null,
    kind: { kind: "number", from: 1, to: 256, unit: "threads" },
    help: "at once (default: as many as there are cores)",
  },
  {
    name: "faults",
    group: world,
    value: "LIST",
    fallback: "drawn",
    kind: { kind: "text" },
    help: "drawn (by each seed), all, none, or names from below with commas between; restores:4 for another weight",
  },
  {
    name: "fault-every",
    group: world,
    value: "N",
    fallback: "15",
    kind: { kind: "number", from: 1, to: 1_000_000, unit: "steps" },
    help: "one step in N is a fault, where all are on",
  },
  ...designOptions(engine, "to compare with"),
  flag(
    "scoreboard",
    engine,
    "all of them beside each other, by the same users; takes --seed, --changes and --json alone",
  ),
  {
    name: "only",
    group: output,
    value: "STEPS",
    fallback: null,
    kind: { kind: "text" },
    help: "plays these steps of the run, as 3,17,20-24, and waits where the others were",
  },
  flag("trace", output, "print what happened, step by step"),
  flag("json", output, "print the reports as one JSON document"),
];

function dataDirOption(help: string): OptionDefinition {
  return { ...path("data-dir", storage, { value: "DIR", help }), fallback: "/var/lib/kubescribe" };
}

export const demoOptionTable: readonly OptionDefinition[] = [
  path("directory", storage, { value: "DIR", help: "where the history and all files go" }),
];

export const whoOptionTable: readonly OptionDefinition[] = [
  {
    ...text("namespace", repository, { value: "NAME", help: "of the resource; cluster-scoped ones have none" }),
    short: "n",
    fallback: "default",
  },
  path("repository", repository, { value: "DIR", help: "a clone, or any directory in it (default: where you are)" }),
  { ...text("branch", repository, { value: "NAME", help: "or any other revision" }), fallback: "HEAD" },
  text("cluster", repository, { value: "UID", help: "of kube-system, or how it begins: only that cluster's changes" }),
  text("path", repository, { value: "PATH", help: "the directory of one target: only the changes below it" }),
  {
    name: "limit",
    short: "L",
    group: output,
    value: "N",
    fallback: "20",
    kind: { kind: "number", from: 0, to: 1_000_000, unit: "changes" },
    help: "changes that are listed, the newest; 0 for all",
  },
  flag("json", output, "print the answer as one JSON document"),
];

/** The designs before this one. */
function designOptions(group: string, purpose: string): readonly OptionDefinition[] {
  return [
    choice("ingestion", group, {
      choices: ["correlate", "dual"],
      fallback: "correlate",
      help: `dual: the older arrangement, ${purpose}`,
    }),
    choice("attribution", group, {
      choices: ["exact", "fifo"],
      fallback: "exact",
      help: `fifo: the first design, ${purpose}`,
    }),
  ];
}

function path(
  name: string,
  group: string,
  rest: { readonly value: string; readonly required?: boolean; readonly help: string },
): OptionDefinition {
  const { value, required = false, help } = rest;
  return { name, group, value, fallback: null, kind: { kind: "path", required }, help };
}

function text(name: string, group: string, rest: { readonly value: string; readonly help: string }): OptionDefinition {
  return { name, group, fallback: null, kind: { kind: "text" }, ...rest };
}

function address(
  name: string,
  group: string,
  rest: { readonly fallback: string; readonly help: string },
): OptionDefinition {
  return { name, group, value: "HOST:PORT", kind: { kind: "address" }, ...rest };
}

function choice(
  name: string,
  group: string,
  rest: { readonly choices: readonly string[]; readonly fallback: string; readonly help: string },
): OptionDefinition {
  const { choices, fallback, help } = rest;
  return {
    name,
    group,
    value: choices.join("|"),
    fallback,
    kind: { kind: "choice", choices },
    help,
  };
}

function count(
  name: string,
  group: string,
  rest: {
    readonly fallback: number;
    readonly to: number;
    readonly unit: string;
    readonly help: string;
  },
): OptionDefinition {
  const { fallback, to, unit, help } = rest;
  return {
    name,
    group,
    value: "N",
    fallback: String(fallback),
    kind: { kind: "number", from: 1, to, unit },
    help: `${unit} ${help}`,
  };
}

function seconds(
  name: string,
  group: string,
  rest: {
    readonly fallback: number;
    readonly from: number;
    readonly to: number;
    readonly help: string;
  },
): OptionDefinition {
  const { fallback, from, to, help } = rest;
  return {
    name,
    group,
    value: "SECONDS",
    fallback: String(fallback),
    kind: { kind: "number", from, to, unit: "seconds" },
    help,
  };
}

function bytes(
  name: string,
  group: string,
  rest: {
    readonly fallback: number;
    readonly from: number;
    readonly to: number;
    readonly help: string;
  },
): OptionDefinition {
  const { fallback, from, to, help } = rest;
  return {
    name,
    group,
    value: "BYTES",
    fallback: sizeText(fallback),
    kind: { kind: "bytes", from, to },
    help,
  };
}

function flag(name: string, group: string, help: string): OptionDefinition {
  return { name, group, value: null, fallback: null, kind: { kind: "flag" }, help };
}

/** `64Mi`, as Kubernetes writes it. */
export function sizeText(size: number): string {
  const units = ["", "Ki", "Mi", "Gi", "Ti"];
  let unit = 0;
  let rest = size;
  while (rest >= 1024 && rest % 1024 === 0 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${rest}${units[unit] ?? ""}`;
}
