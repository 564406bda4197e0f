/** Keepers of one installation in a cluster that is played, by a clock that is moved, with credentials that were made before. */

import { randomBytes } from "node:crypto";

import type { ApiServer, Clock } from "../../actors/ports.ts";
import type { Generation, ShownCredentials } from "../../machines/webhook-credentials.ts";
import { createSimulatedClock, settled, type SimulatedClock } from "../../src/simulation/simulated-clock.ts";
import type { Coverage } from "../../src/webhook/coverage.ts";
import { makeGeneration } from "../../src/webhook/generation.ts";
import { listOf, objectOf, textOf } from "../../src/webhook/json-value.ts";
import {
  openWebhookKeeper,
  webhookHosts,
  type WebhookKeeper,
  type WebhookKeeperOptions,
} from "../../src/webhook/webhook-keeper.ts";
import { createRecorder, type Recorder } from "../admission/recorder.ts";
import { configurationPath, FakeCluster, leasePath, secretPath } from "./fake-cluster.ts";

const installation = "kubescribe";
const namespace = "kubescribe-system";
export const hosts = webhookHosts(installation, namespace);
export const lifetimeMs = 90 * 24 * 3_600_000;
const startMs = 1_700_000_000_000;
export const configMaps = { group: "", version: "v1", resource: "configmaps" } as const;
export const deployments = { group: "apps", version: "v1", resource: "deployments" } as const;

let stock: readonly Generation[] = [];

/**
 * Once: real certificates, so that nothing of the way to and from the Secret is played. The first is as old as the world, the others are
 * made when it is due.
 */
export async function makeStock(count = 8): Promise<void> {
  const order = { names: hosts, lifetimeMs, randomBytes };
  stock = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      makeGeneration({ ...order, nowMs: index === 0 ? startMs : startMs + (lifetimeMs * 2) / 3 }),
    ),
  );
}

export function stocked(index: number): Generation {
  const found = stock[index % stock.length];
  if (found === undefined) throw new Error("nothing in stock: call makeStock first");
  return found;
}

export interface Kept {
  readonly keeper: WebhookKeeper;
  /** As they came. */
  readonly shown: ShownCredentials[];
  readonly coverage: Coverage[];
  /** What `holds` answers. */
  holds: boolean;
}

export class KeeperWorld {
  readonly cluster = new FakeCluster();
  readonly clock: SimulatedClock = createSimulatedClock(startMs);
  readonly recorder: Recorder = createRecorder();
  readonly disk = new Map<string, string>();
  #made = 0;

  constructor() {
    this.cluster.put(secretPath, { kind: "Secret", type: "Opaque", metadata: { name: "kubescribe-webhook" } });
    this.cluster.put(configurationPath, {
      kind: "ValidatingWebhookConfiguration",
      metadata: { name: installation, labels: { kept: "yes" } },
      webhooks: [],
    });
    this.cluster.put(leasePath, { kind: "Lease", metadata: { name: installation } });
  }

  async open(
    overrides: {
      readonly holds?: boolean;
      readonly api?: ApiServer;
      readonly clock?: Clock;
      readonly directory?: string;
      readonly certificates?: "self" | "files";
      readonly times?: WebhookKeeperOptions["times"];
    } = {},
  ): Promise<Kept> {
    const {
      holds = true,
      api = this.cluster,
      clock = this.clock,
      directory = null,
      certificates = "self",
      times = {},
    } = overrides;
    const shown: ShownCredentials[] = [];
    const coverage: Coverage[] = [];
    const keeper = await openWebhookKeeper({
      api,
      clock,
      certificates,
      times,
      directory,
      installation,
      namespace,
      files: {
        readFile: async (path) => {
          const text = await Promise.resolve(this.disk.get(path));
          if (text === undefined) throw Object.assign(new Error("gone"), { code: "ENOENT" });
          return Buffer.from(text);
        },
      },
      meter: this.recorder.meter,
      log: this.recorder.log,
      randomBytes,
      holds: () => kept.holds,
      make: () => Promise.resolve(stocked(this.#made++)),
    });
    const kept: Kept = { keeper, shown, coverage, holds };
    keeper.shown$.subscribe((each) => shown.push(each));
    keeper.coverage$.subscribe((each) => coverage.push(each));
    return kept;
  }

  async pass(ms: number): Promise<void> {
    await settled();
    await this.clock.run(ms);
    await settled();
  }

  /** By the name of the entry: what stands in the cluster. */
  entry(name: string): Readonly<Record<string, unknown>> {
    const webhooks = listOf(this.cluster.get(configurationPath)?.["webhooks"]).map(objectOf);
    return objectOf(webhooks.find((each) => each["name"] === name));
  }

  /** Where reviews go, and who is trusted to take them. */
  configured(name = "configuration.kubescribe.dev"): { readonly path: string; readonly bundle: string } {
    const { service, caBundle } = objectOf(this.entry(name)["clientConfig"]);
    const bundle = Buffer.from(textOf(caBundle), "base64").toString();
    return { path: textOf(objectOf(service)["path"]), bundle };
  }

  /** A text of the Secret. */
  secret(name: string): string {
    const data = objectOf(this.cluster.get(secretPath)?.["data"]);
    return Buffer.from(textOf(data[name]), "base64").toString();
  }
}
