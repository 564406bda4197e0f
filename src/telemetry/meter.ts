/**
 * The Meter over OpenTelemetry, exposed as Prometheus text. Counts are plain numbers that OpenTelemetry's observable counters
 * read when somebody looks: a count costs a look-up and an addition (docs/METRICS.md has the figures).
 *
 * 1. Every counter and gauge of the catalogue is there from the start, with the value 0, but for those of which 0 would say something.
 * 2. A metric that nobody registered still counts: a forgotten line in the catalogue loses no figure.
 */

import type { Histogram, Meter as OtelMeter } from "@opentelemetry/api";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { Labels, Meter } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { type BoundedSets, LabelSets } from "./label-sets.ts";
import type { MetricDefinition } from "./metrics.ts";
import { metrics } from "./metrics.ts";
import { TopSets } from "./top-sets.ts";

export interface PrometheusMeter extends Meter, AsyncDisposable {
  /** Prometheus text exposition, version 0.0.4. */
  exposition(): Promise<string>;
  /** The same as OpenTelemetry has it. Throws a KubescribeError (`metrics-unreadable`) where a metric cannot be read. */
  collect(): Promise<ResourceMetrics>;
}

export const expositionContentType = "text/plain; version=0.0.4; charset=utf-8";

export function createPrometheusMeter(): PrometheusMeter {
  return new ObservingMeter();
}

/** What one label set of a counter or gauge amounts to. */
interface Cell {
  value: number;
  read: (() => number) | null;
}

interface Family {
  readonly bare: Cell;
  readonly sets: BoundedSets<Cell>;
}

const none: Labels = Object.freeze({});

class ObservingMeter implements PrometheusMeter {
  readonly #exporter = new PrometheusExporter({ preventServerStart: true });
  // No scope and target information: they would only repeat the name of this program on every line.
  readonly #serializer = new PrometheusSerializer("", false, undefined, true, true);
  readonly #provider: MeterProvider;
  readonly #otel: OtelMeter;
  readonly #families = new Map<string, Family>();
  readonly #histograms = new Map<string, { readonly histogram: Histogram; readonly sets: LabelSets<null> }>();

  constructor() {
    this.#provider = new MeterProvider({ readers: [this.#exporter] });
    this.#otel = this.#provider.getMeter("kubescribe");
    for (const definition of metrics) {
      if (definition.kind === "histogram") this.#addHistogram(definition);
      else this.#addFamily(definition);
    }
  }

  count(name: string, labels?: Labels, by = 1): void {
    const family = this.#families.get(name) ?? this.#addFamily(unlisted(name, "counter"));
    if (labels === undefined || isEmpty(labels)) family.bare.value += by;
    else family.sets.get(labels).instrument.value += by;
  }

  record(name: string, value: number, labels?: Labels): void {
    const { histogram, sets } = this.#histograms.get(name) ?? this.#addHistogram(unlisted(name, "histogram"));
    histogram.record(value, labels === undefined ? none : sets.get(labels).labels);
  }

  gauge(name: string, read: () => number, labels?: Labels): void {
    const family = this.#families.get(name) ?? this.#addFamily(unlisted(name, "gauge"));
    const cell = labels === undefined || isEmpty(labels) ? family.bare : family.sets.get(labels).instrument;
    cell.read = read;
  }

  async exposition(): Promise<string> {
    return this.#serializer.serialize(await this.collect());
  }

  async collect(): Promise<ResourceMetrics> {
    const { resourceMetrics, errors } = await this.#exporter.collect();
    if (errors.length > 0) {
      throw new KubescribeError("metrics-unreadable", "a metric could not be read", {
        retry: "backoff",
        cause: errors[0],
      });
    }
    return resourceMetrics;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider.shutdown();
  }

  #addFamily(definition: MetricDefinition): Family {
    const create = (): Cell => ({ value: 0, read: null });
    const { most, awaited = false } = definition;
    const dropped = (): void => this.count("metric_labels_dropped");
    const sets = most === undefined ? new LabelSets(create, dropped) : new TopSets(most, create);
    const family: Family = { bare: { value: awaited ? Number.NaN : 0, read: null }, sets };
    this.#families.set(definition.name, family);
    const options = { description: definition.help };
    const instrument =
      definition.kind === "counter"
        ? this.#otel.createObservableCounter(definition.name, options)
        : this.#otel.createObservableGauge(definition.name, options);
    instrument.addCallback((result) => {
      const bare = valueOf(family.bare);
      // Once there are labelled ones, a line without labels would be one more, wrong, part of the sum.
      if (Number.isFinite(bare) && (family.sets.size === 0 || bare !== 0)) result.observe(bare);
      for (const { labels, instrument: cell } of family.sets.values()) {
        const value = valueOf(cell);
        if (Number.isFinite(value)) result.observe(value, labels);
      }
    });
    return family;
  }

  #addHistogram(definition: MetricDefinition): { readonly histogram: Histogram; readonly sets: LabelSets<null> } {
    const advice =
      definition.buckets === undefined ? {} : { advice: { explicitBucketBoundaries: [...definition.buckets] } };
    const histogram = this.#otel.createHistogram(definition.name, { description: definition.help, ...advice });
    const entry = {
      histogram,
      sets: new LabelSets(
        () => null,
        () => this.count("metric_labels_dropped"),
      ),
    };
    this.#histograms.set(definition.name, entry);
    return entry;
  }
}

/** Not a number where it cannot be read: one broken gauge must not take the others along. */
function valueOf({ value, read }: Cell): number {
  if (read === null) return value;
  try {
    return read();
  } catch {
    return Number.NaN;
  }
}

function isEmpty(labels: Labels): boolean {
  for (const _name in labels) return false;
  return true;
}

function unlisted(name: string, kind: MetricDefinition["kind"]): MetricDefinition {
  return { name, kind, labels: [], help: "Not described." };
}
