/**
 * What Prometheus has seen, minute by minute, and which alerts fire when. Samples begin at minute 0; trouble begins in minute 11, where
 * nothing else is said, and ends in minute 21.
 */

export interface AlertCase {
  readonly name: string;
  /** Over the healthy ones: by the name and labels beside those of the process, values as promtool writes them. */
  readonly series: Readonly<Record<string, string>>;
  /** Firing alerts by minute. */
  readonly firing: Readonly<Record<number, readonly string[]>>;
}

/** Of a process that is well. */
export const healthy: Readonly<Record<string, string>> = {
  watch_manager_heartbeat: "0+60x60",
  watch_last_message_timestamp_seconds: "0+60x60",
  watches: "5+0x60",
  watch_enrich_hits_total: "0+10x60",
  watch_enrich_misses_total: "0+0x60",
  webhook_covered: "1+0x60",
  'watch_lag_seconds_bucket{le="1"}': "0+10x60",
  'watch_lag_seconds_bucket{le="2.5"}': "0+10x60",
  'watch_lag_seconds_bucket{le="+Inf"}': "0+10x60",
  'oldest_uncommitted_age_seconds{target="a/b"}': "0+0x60",
  'target_stopped{target="a/b"}': "0+0x60",
  'unpushed_commits{target="a/b"}': "0+0x60",
  'pushes_total{target="a/b",outcome="pushed"}': "0+1x60",
  'remote_stopped{target="a/b"}': "0+0x60",
  webhook_certificate_expiry_timestamp_seconds: "5000000+0x60",
};

export const alertCases: readonly AlertCase[] = [
  { name: "all is well", series: {}, firing: { 1: [], 10: [], 30: [], 60: [] } },
  {
    name: "a pod that waits for its turn watches nothing, by right",
    series: {
      'watch_manager_heartbeat{pod="b"}': "0+0x60",
      'watch_last_message_timestamp_seconds{pod="b"}': "0+0x60",
      'watches{pod="b"}': "0+0x60",
    },
    firing: { 1: [], 10: [], 30: [], 60: [] },
  },
  {
    name: "no process is there",
    series: {
      watch_manager_heartbeat: "0+60x10 stale _x9 1260+60x39",
      watch_last_message_timestamp_seconds: "0+60x10 stale _x9 1260+60x39",
    },
    firing: { 15: [], 16: ["KubescribeDown"], 20: ["KubescribeDown"], 21: [] },
  },
  {
    name: "the watches are silent from minute 10 to 32, while each of them takes itself for alive",
    series: { watch_last_message_timestamp_seconds: "0+60x10 600+0x20 1920+60x28" },
    firing: { 20: [], 21: ["KubescribeNoWatchEvents"], 31: ["KubescribeNoWatchEvents"], 32: [] },
  },
  {
    name: "nothing is watched, and so nothing is heard",
    series: { watch_last_message_timestamp_seconds: "0+0x60", watches: "0+0x60" },
    firing: { 10: [], 60: [] },
  },
  {
    name: "some watch is not alive from minute 10 to 22",
    series: { watch_manager_heartbeat: "0+60x10 600+0x10 1320+60x38" },
    firing: { 13: [], 14: ["KubescribeHeartbeatStopped"], 21: ["KubescribeHeartbeatStopped"], 22: [] },
  },
  {
    name: "nobody is known of half of the changes",
    series: {
      watch_enrich_hits_total: "0+10x10 100+0x9 110+10x39",
      watch_enrich_misses_total: "0+0x10 10+10x9 100+0x39",
    },
    firing: { 15: [], 16: ["KubescribeEnrichmentLow"], 34: ["KubescribeEnrichmentLow"], 37: [] },
  },
  {
    name: "nobody is known of a few changes: they may be what the API server does by itself",
    series: { watch_enrich_hits_total: "0+0x60", watch_enrich_misses_total: "0+0x10 1+1x9 10+0x39" },
    firing: { 16: [], 30: [], 60: [] },
  },
  {
    name: "the webhook's configuration is altered",
    series: { webhook_covered: "1+0x10 0+0x9 1+0x39" },
    firing: { 11: [], 12: ["KubescribeBlind"], 20: ["KubescribeBlind"], 21: [] },
  },
  {
    name: "one review in ten takes more than a second to its event",
    series: {
      'watch_lag_seconds_bucket{le="1"}': "0+10x10 109+9x9 200+10x39",
      'watch_lag_seconds_bucket{le="2.5"}': "0+10x60",
    },
    firing: { 15: [], 16: ["KubescribeLagHigh"], 24: ["KubescribeLagHigh"], 27: [] },
  },
  {
    name: "one review in a thousand takes more than a second to its event",
    series: {
      'watch_lag_seconds_bucket{le="1"}': "0+999x60",
      'watch_lag_seconds_bucket{le="2.5"}': "0+1000x60",
      'watch_lag_seconds_bucket{le="+Inf"}': "0+1000x60",
    },
    firing: { 30: [], 60: [] },
  },
  {
    name: "a change waits for its commit, older by a minute each minute",
    series: { 'oldest_uncommitted_age_seconds{target="a/b"}': "0+0x10 30+60x9 0+0x39" },
    firing: { 11: [], 12: ["KubescribeUncommitted"], 20: ["KubescribeUncommitted"], 21: [] },
  },
  {
    name: "a target is given up",
    series: { 'target_stopped{target="a/b"}': "0+0x10 1+0x9 0+0x39" },
    firing: { 10: [], 11: ["KubescribeTargetStopped"], 20: ["KubescribeTargetStopped"], 21: [] },
  },
  {
    name: "no push arrives from minute 10 to 31",
    series: {
      'unpushed_commits{target="a/b"}': "0+0x10 1+1x19 0+0x29",
      'pushes_total{target="a/b",outcome="pushed"}': "0+1x10 10+0x19 11+1x29",
      'pushes_total{target="a/b",outcome="failed"}': "0+0x10 1+1x19 20+0x29",
    },
    firing: { 23: [], 25: ["KubescribePushFailing"], 30: ["KubescribePushFailing"], 31: [] },
  },
  {
    name: "no push has ever arrived",
    series: {
      'unpushed_commits{target="a/b"}': "0+0x10 1+1x9 0+0x39",
      'pushes_total{target="a/b",outcome="pushed"}': "_x60",
    },
    firing: { 15: [], 16: ["KubescribePushFailing"], 20: ["KubescribePushFailing"], 21: [] },
  },
  {
    name: "a remote is given up, and what it holds is all there is",
    series: { 'remote_stopped{target="a/b"}': "0+0x10 1+0x9 0+0x39" },
    firing: { 15: [], 16: ["KubescribePushFailing"], 20: ["KubescribePushFailing"], 21: [] },
  },
  {
    name: "pushes are slow, and arrive",
    series: { 'unpushed_commits{target="a/b"}': "0+0x10 100+0x50" },
    firing: { 16: [], 30: [], 60: [] },
  },
  {
    name: "the certificate has 14 days left in minute 10, and is renewed in minute 21",
    series: { webhook_certificate_expiry_timestamp_seconds: "1210200+0x20 8000000+0x39" },
    firing: { 15: [], 16: ["KubescribeCertificateExpiring"], 20: ["KubescribeCertificateExpiring"], 21: [] },
  },
  {
    name: "there is no certificate of its own",
    series: { webhook_certificate_expiry_timestamp_seconds: "0+0x60" },
    firing: { 16: [], 60: [] },
  },
];
