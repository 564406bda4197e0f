/** Metrics and spans as OTLP has them, in protobuf. Loaded only where something is sent. */

import { type HrTime, type SpanContext, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { ProtobufMetricsSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import type { ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { ChangeSpan } from "./change-traces.ts";

export interface ServiceIdentity {
  readonly version: string;
  /** Of this process: in a cluster the name of its pod. */
  readonly instance: string;
}

type ReadableSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];

const nothing = new Uint8Array();

export class OtlpEncoder {
  readonly #resource: Resource;
  readonly #scope: { readonly name: string; readonly version: string };

  constructor({ version, instance }: ServiceIdentity) {
    this.#resource = resourceFromAttributes({
      "service.name": "kubescribe",
      "service.version": version,
      "service.instance.id": instance,
    });
    this.#scope = { name: "kubescribe", version };
  }

  metrics(collected: ResourceMetrics): Uint8Array {
    return ProtobufMetricsSerializer.serializeRequest({ ...collected, resource: this.#resource }) ?? nothing;
  }

  spans(spans: readonly ChangeSpan[]): Uint8Array {
    return ProtobufTraceSerializer.serializeRequest(spans.map((span) => this.#readable(span))) ?? nothing;
  }

  #readable(span: ChangeSpan): ReadableSpan {
    const { traceId, spanId, parentId, name, startMs, endMs, attributes } = span;
    const contextOf = (id: string): SpanContext => ({ traceId, spanId: id, traceFlags: TraceFlags.SAMPLED });
    return {
      name,
      kind: name === "review" ? SpanKind.SERVER : name === "push" ? SpanKind.CLIENT : SpanKind.INTERNAL,
      spanContext: () => contextOf(spanId),
      ...(parentId === null ? {} : { parentSpanContext: contextOf(parentId) }),
      startTime: hrTimeOf(startMs),
      endTime: hrTimeOf(endMs),
      duration: hrTimeOf(endMs - startMs),
      ended: true,
      status: { code: SpanStatusCode.UNSET },
      attributes: { ...attributes },
      links: [],
      events: [],
      resource: this.#resource,
      instrumentationScope: this.#scope,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  }
}

/** Seconds, and nanoseconds beside them. */
function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
}
