/** What OTLP's requests say, by the field numbers of opentelemetry-proto 1.x. */

import { Message } from "./protobuf.ts";

export interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: the root. */
  readonly parentId: string;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
}

export interface SentMetric {
  readonly name: string;
  readonly kind: "gauge" | "sum" | "histogram";
  readonly isMonotonic: boolean;
  /** By labels, as `a=b c=d`: values, or of a histogram the counts. */
  readonly points: ReadonlyMap<string, number>;
}

export function spansOf(request: Uint8Array): readonly SentSpan[] {
  return new Message(request).messages(1).flatMap((resourceSpans) => {
    const resource = attributesOf(resourceSpans.message(1).messages(1));
    return resourceSpans.messages(2).flatMap((scopeSpans) =>
      scopeSpans.messages(2).map((span) => ({
        traceId: span.hex(1),
        spanId: span.hex(2),
        parentId: span.hex(4),
        name: span.text(5),
        startMs: span.integer(7) / 1e6,
        endMs: span.integer(8) / 1e6,
        attributes: attributesOf(span.messages(9)),
        resource,
      })),
    );
  });
}

export function metricsOf(request: Uint8Array): readonly SentMetric[] {
  const scopes = new Message(request).messages(1).flatMap((resourceMetrics) => resourceMetrics.messages(2));
  return scopes.flatMap((scope) => scope.messages(2)).map(metricOf);
}

const fieldsOf = { gauge: 5, sum: 7, histogram: 9 } as const;

function metricOf(metric: Message): SentMetric {
  const kind = metric.has(fieldsOf.histogram) ? "histogram" : metric.has(fieldsOf.sum) ? "sum" : "gauge";
  const data = metric.message(fieldsOf[kind]);
  const points = data.messages(1).map((point): readonly [string, number] => {
    const labels = Object.entries(attributesOf(point.messages(kind === "histogram" ? 9 : 7)));
    const value = kind === "histogram" ? point.integer(4) : point.has(6) ? point.integer(6) : point.double(4);
    return [labels.map(([key, label]) => `${key}=${label}`).join(" "), value];
  });
  return { name: metric.text(1), kind, isMonotonic: kind === "sum" && data.integer(3) === 1, points: new Map(points) };
}

function attributesOf(pairs: readonly Message[]): Readonly<Record<string, string>> {
  return Object.fromEntries(pairs.map((pair) => [pair.text(1), pair.message(2).text(1)]));
}
