/** Every metric by name: what docs/METRICS.md says in a table. Names without `_total`; the exposition adds it to counters. */

export interface MetricDefinition {
  readonly name: string;
  readonly kind: "counter" | "histogram" | "gauge";
  /** Names of labels. */
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds of a histogram, seconds. */
  readonly buckets?: readonly number[];
  /** Of a counter: so many label sets at most, those that count most; the others are `other`. Default: the first 500. */
  readonly most?: number;
  /** Not there until somebody gives it a value: 0 would mean something. Default false. */
  readonly awaited?: boolean;
}

/** Accounts of which changes are counted one by one. */
export const shownAccounts = 50;

/** 0.1 ms to 1 s: what a review may take. */
const reviewBuckets = [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
/** 1 ms to 10 min: what may wait for something. */
const waitBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600];

export const metrics: readonly MetricDefinition[] = [
  counter("webhook_requests", [], "Admission reviews received, dry runs and refused ones included."),
  counter(
    "webhook_handed_on",
    ["outcome"],
    "Reviews that another replica holds the Lease for: handed on to it, or kept here.",
  ),
  counter("webhook_correlations", [], "Reviews recorded as correlations: who attempted what."),
  counter("webhook_ignored", ["reason"], "Reviews answered and not recorded, such as dry runs."),
  counter(
    "webhook_rejected",
    ["reason"],
    "Requests that were no review, or not to be taken: answered 4xx, or cut off.",
  ),
  counter("webhook_faults", ["kind"], "Faults of ours in the webhook's path; the review was allowed."),
  counter("webhook_shortened", ["field"], "Overlong fields of reviews that were cut."),
  counter(
    "webhook_certificate_reloads",
    [],
    "TLS files of the admission server that changed on disk and were taken over.",
  ),
  counter("webhook_certificate_errors", [], "TLS files on disk that could not be used; the old ones stay in use."),
  {
    ...gauge(
      "webhook_certificate_expiry_timestamp_seconds",
      [],
      "When the certificate that the admission server shows ends, seconds since 1970.",
    ),
    awaited: true,
  },
  counter("webhook_certificate_renewals", [], "Certificates of the webhook that were made and taken into use."),
  counter(
    "webhook_credentials_lost",
    [],
    "Times that the webhook's Secret was gone, empty or unusable, though it had been filled.",
  ),
  counter(
    "webhook_configuration_repairs",
    [],
    "Times that the ValidatingWebhookConfiguration was put right after somebody else had changed it.",
  ),
  gauge(
    "webhook_configuration_fought",
    [],
    "1: somebody changes the ValidatingWebhookConfiguration back again and again; it is repaired less often.",
  ),
  counter("webhook_reach_failures", [], "Probes of the way from the API server to the webhook that did not arrive."),
  {
    ...gauge(
      "webhook_covered",
      [],
      "1: everything that is watched is reviewed, as far as configuration and probes tell.",
    ),
    awaited: true,
  },
  histogram("webhook_duration_seconds", [], reviewBuckets, "From a review read to its answer."),
  counter(
    "journal_errors",
    ["kind"],
    "Correlations that did not reach the journal; the review was answered all the same. `mark`: nor can the next process be told.",
  ),
  gauge("journal_bytes", [], "Size of the journal on disk."),
  counter("journal_damaged_lines", [], "Lines of an earlier process's journal that could not be read."),
  counter("journal_evicted", [], "Correlations that the bound on the journal's size took away."),
  counter("watch_events", ["type"], "Watch events read, by resource type."),
  counter("watch_repeats", ["type"], "Events that had been seen already: after a reconnection, expected."),
  counter(
    "watch_lists",
    ["type", "unbroken"],
    "Complete lists read; unbroken: at the version where the stream goes on.",
  ),
  counter("watch_faults", ["type"], "Answers and streams that failed; the watch backs off, or lists again."),
  counter("watch_decode_failures", ["type"], "Answers that could not be read: a bug, here or there."),
  counter("watch_scan_failures", [], "Times that the cluster did not say which types it serves; the watches go on."),
  gauge("watches", [], "Resource types that are watched."),
  gauge("lease_held", [], "1 while this replica holds the Lease of its installation, and records."),
  counter("credentials_unreadable", [], "Credentials on disk that could not be read again; the last ones serve on."),
  counter("watch_restarts", ["reason"], "Watches that ended and were started again."),
  counter("watch_bookmarks", ["type"], "Bookmarks read."),
  gauge(
    "watch_last_message_timestamp_seconds",
    [],
    "When the last list, event or bookmark was read (seconds since 1970); 0: none was.",
  ),
  gauge(
    "watch_manager_heartbeat",
    [],
    "Moves (seconds since 1970) while every watch is alive; stands still when one is not.",
  ),
  histogram(
    "watch_lag_seconds",
    [],
    waitBuckets,
    "From a review to its event on the watch, for changes with a correlation.",
  ),
  counter("events_processed", [], "Watch events that went through their resource's actor."),
  counter("correlation_misses", [], "Changes without a correlation that fits."),
  counter(
    "correlations_dropped",
    ["reason"],
    "Correlations that ended unused: retired, expired, evicted, dead on arrival.",
  ),
  gauge("blind", [], "1: reviews do not reach this process now, or not all of them; the history tells of the time."),
  gauge("pending_correlations", [], "Correlations waiting for their change."),
  gauge("pending_object_bytes", [], "Bytes of objects kept to compare contents."),
  gauge("actors", ["state"], "Resource actors, awake or passivated."),
  counter("actor_faults", ["kind"], "Messages that made an actor fail."),
  counter("dual_webhook_only", [], "With --ingestion dual: what the webhook saw and the watch did not."),
  counter("dual_watch_only", [], "With --ingestion dual: what the watch saw and the webhook did not."),
  counter("attributions", ["tier"], "Committed changes by verdict."),
  counter("watch_enrich_hits", [], "Committed changes with a name."),
  counter("watch_enrich_misses", [], "Committed changes without a name."),
  counter("changes_by_type", ["type"], "Committed changes by resource type."),
  {
    name: "changes_by_account",
    kind: "counter",
    labels: ["account"],
    help: `Committed changes with a name by whom they name: the ${shownAccounts} accounts that change most of late, and \`other\`.`,
    most: shownAccounts,
  },
  counter("commits", ["target"], "Commits made, those without a change (snapshots, ...) included."),
  counter("flushes", ["target", "outcome"], "Flushes: committed, failed (tried again), refused."),
  histogram("flush_duration_seconds", ["target"], waitBuckets, "One flush, from its start to durable refs."),
  gauge("unpushed_commits", ["target"], "Commits that the target's remote is not known to have."),
  counter(
    "pushes",
    ["target", "outcome"],
    "Pushes: pushed, stale (the remote had moved), failed (tried again), refused.",
  ),
  histogram("push_duration_seconds", ["target"], waitBuckets, "One push, from its first byte to the refs read back."),
  counter("rebuilt_commits", ["target"], "Commits made anew on what somebody else had pushed."),
  gauge("remote_stopped", ["target"], "1: nothing more is pushed, until a person mends the cause."),
  histogram("change_to_commit_seconds", [], waitBuckets, "From a watch event read to its durable commit."),
  gauge("queue_depth", ["target"], "Changes waiting for Git."),
  gauge("queue_bytes", ["target"], "Bytes of them."),
  gauge(
    "oldest_uncommitted_age_seconds",
    ["target"],
    "Age of the oldest change that is not durable yet; 0 when there is none.",
  ),
  gauge(
    "detached",
    ["target"],
    "Types whose changes this target catches up by a watch of its own, since it could not keep up.",
  ),
  gauge("target_stopped", ["target"], "1: the target met a fault that nothing but a person can mend."),
  counter("catch_ups", ["target", "outcome"], "Catch-ups of detached types that ended."),
  counter(
    "verdicts_lost",
    ["target"],
    "Verdicts of a detached target that a bound took away: those changes are unresolved.",
  ),
  counter(
    "objects_faulted",
    ["target"],
    "Objects that could not be read: committed as they stand (a Secret as a comment), and marked.",
  ),
  counter("amendments_late", ["target"], "Evidence about a tie that came after its commit."),
  counter("otlp_exports", ["signal", "outcome"], "With --otlp-endpoint: what was sent to it, and what was not taken."),
  counter(
    "otlp_spans_dropped",
    [],
    "With --otlp-endpoint: spans that a bound took away, since they could not be sent.",
  ),
  { ...gauge("process_resident_memory_bytes", [], "Memory of the process."), awaited: true },
  counter("process_cpu_seconds", [], "CPU time of the process, in all its threads."),
  counter(
    "metric_labels_dropped",
    [],
    "Label sets beyond the bound of a metric, counted under the label value `other`.",
  ),
];

function counter(name: string, labels: readonly string[], help: string): MetricDefinition {
  return { name, kind: "counter", labels, help };
}

function gauge(name: string, labels: readonly string[], help: string): MetricDefinition {
  return { name, kind: "gauge", labels, help };
}

function histogram(
  name: string,
  labels: readonly string[],
  buckets: readonly number[],
  help: string,
): MetricDefinition {
  return { name, kind: "histogram", labels, help, buckets };
}
