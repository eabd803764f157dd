import { ATTRIBUTE } from '@convotel/conventions';
import type { Attributes } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { ProtobufWriter } from './protobuf-writer.ts';
import { MAX_TEXT_LENGTH, OutgoingTexts, SendableMap, sendableText, sendableTime, sendableValue } from './sendable.ts';
import type { AttributeTreatment, Sendable, SpanText, TextPlace } from './sendable.ts';
import {
  flagsOf,
  HEADROOM_BYTES,
  isParentId,
  isSpanId,
  isTraceId,
  MAX_SPAN_BYTES,
  isTrustedName,
  SHORT_TEXT_LENGTH,
  START_TIME_BYTES,
  writeStartTime,
} from './span-encoder.ts';
import type { EncodedSpans, SpanEncoder, StartedSpan } from './span-encoder.ts';

/** Field numbers of opentelemetry-proto: trace.proto, common.proto, resource.proto, trace_service.proto. */
const SPAN = {
  traceId: 1,
  spanId: 2,
  traceState: 3,
  parentSpanId: 4,
  name: 5,
  kind: 6,
  start: 7,
  end: 8,
  attributes: 9,
  droppedAttributes: 10,
  events: 11,
  droppedEvents: 12,
  links: 13,
  droppedLinks: 14,
  status: 15,
  flags: 16,
} as const;
const EVENT = { time: 1, name: 2, attributes: 3 } as const;
const LINK = { traceId: 1, spanId: 2, attributes: 4, flags: 6 } as const;
const STATUS = { message: 2, code: 3 } as const;
const ANY = { string: 1, bool: 2, int: 3, double: 4, array: 5, map: 6, bytes: 7 } as const;
const STATUS_CODE_ERROR = 2;

/** Encodes spans as binary OTLP. */
export class ProtobufSpanEncoder implements SpanEncoder {
  readonly encoding = 'protobuf';
  readonly #text: SpanText;
  readonly #out = new ProtobufWriter();
  readonly #texts: OutgoingTexts;
  #leftOut = 0;

  constructor(text: SpanText) {
    this.#text = text;
    this.#texts = new OutgoingTexts(text);
  }

  get bytes(): Buffer {
    return this.#out.bytes;
  }

  span(span: ReadableSpan): number | 'unsendable' | 'too_large' {
    for (const maxTextLength of [MAX_TEXT_LENGTH, SHORT_TEXT_LENGTH]) {
      this.#texts.begin(maxTextLength);
      this.#out.reset(HEADROOM_BYTES);
      if (!this.#head(span)) return 'unsendable';
      this.#tail(span);
      const length = this.#out.position - HEADROOM_BYTES;
      if (length <= MAX_SPAN_BYTES) return length;
    }
    return 'too_large';
  }

  start(span: ReadableSpan): StartedSpan | 'unsendable' {
    this.#texts.begin(SHORT_TEXT_LENGTH);
    this.#out.reset(HEADROOM_BYTES + START_TIME_BYTES);
    if (!this.#head(span)) return 'unsendable';
    this.#attributes(SPAN.attributes, span.attributes, 'attribute');
    writeStartTime(this.bytes, span.startTime);
    return { length: this.#out.position - HEADROOM_BYTES, name: span.name, head: '' };
  }

  resource({ attributes }: Resource): string {
    this.#texts.begin(SHORT_TEXT_LENGTH);
    this.#out.reset(0);
    this.#attributes(1, attributes, 'attribute');
    return this.bytes.toString('base64', 0, this.#out.position);
  }

  scope({ name, version, schemaUrl }: InstrumentationScope): string {
    this.#out.reset(0);
    this.#out.message(1, () => {
      this.#out.text(1, sendableText(String(name)));
      if (version !== undefined) this.#out.text(2, version);
    });
    if (schemaUrl !== undefined) this.#out.text(3, schemaUrl);
    return this.bytes.toString('base64', 0, this.#out.position);
  }

  #head(span: ReadableSpan): boolean {
    const { traceId, spanId, traceState } = span.spanContext();
    if (!isTraceId(traceId) || !isSpanId(spanId)) return false;
    const out = this.#out;
    // The ids come first, at fixed offsets, where `keyOf` reads them.
    out.hex(SPAN.traceId, traceId);
    out.hex(SPAN.spanId, spanId);
    const state = traceState?.serialize();
    if (state !== undefined && state !== '') this.#redacted(SPAN.traceState, state, { part: 'attribute' });
    const parent = span.parentSpanContext?.spanId;
    if (parent !== undefined && isParentId(parent)) out.hex(SPAN.parentSpanId, parent);
    const action = isTrustedName(span) ? 'as-is' : 'redact';
    out.text(SPAN.name, this.#texts.write(String(span.name), action, { part: 'name' }) ?? '');
    out.number(SPAN.kind, typeof span.kind === 'number' ? span.kind + 1 : 0);
    out.fixed64(SPAN.start, sendableTime(span.startTime));
    return true;
  }

  #tail(span: ReadableSpan): void {
    const out = this.#out;
    this.#leftOut = 0;
    out.fixed64(SPAN.end, sendableTime(span.endTime));
    this.#attributes(SPAN.attributes, span.attributes, 'attribute');
    out.number(SPAN.droppedAttributes, span.droppedAttributesCount + this.#leftOut);
    for (const { name, time, attributes } of span.events) {
      out.message(SPAN.events, () => {
        out.fixed64(EVENT.time, sendableTime(time));
        this.#redacted(EVENT.name, String(name), { part: 'event' });
        this.#attributes(EVENT.attributes, attributes ?? {}, 'event');
      });
    }
    out.number(SPAN.droppedEvents, span.droppedEventsCount);
    for (const { context, attributes } of span.links) {
      if (!isTraceId(context.traceId) || !isSpanId(context.spanId)) continue;
      out.message(SPAN.links, () => {
        out.hex(LINK.traceId, context.traceId);
        out.hex(LINK.spanId, context.spanId);
        this.#attributes(LINK.attributes, attributes ?? {}, 'link');
        out.fixed32(LINK.flags, flagsOf(context.traceFlags, context.isRemote));
      });
    }
    out.number(SPAN.droppedLinks, span.droppedLinksCount);
    const { code, message } = span.status;
    out.message(SPAN.status, () => {
      if (typeof message === 'string') this.#redacted(STATUS.message, message, { part: 'status' });
      out.number(STATUS.code, code);
    });
    out.fixed32(SPAN.flags, flagsOf(span.spanContext().traceFlags, span.parentSpanContext?.isRemote));
  }

  #redacted(field: number, text: string, place: TextPlace): void {
    const kept = this.#texts.write(text, 'redact', place);
    if (kept !== undefined) this.#out.text(field, kept);
  }

  #attributes(field: number, attributes: Attributes, part: TextPlace['part']): void {
    for (const key in attributes) {
      const treatment = this.#text.treatmentOf(key, part);
      const value =
        treatment.action === 'omit' ? undefined : this.#value(attributes, key, treatment.action, treatment.key, part);
      if (value === undefined) this.#leftOut += 1;
      else this.#entry(field, sendableText(treatment.key, 1024), value);
    }
  }

  #value(
    attributes: Attributes,
    key: string,
    action: AttributeTreatment['action'],
    written: string,
    part: TextPlace['part'],
  ): Sendable | undefined {
    const place: TextPlace = { part, key: written };
    try {
      return sendableValue(attributes[key], (each, name) => this.#texts.write(each, action, place, name));
    } catch {
      // A getter of the program threw; counted as dropped.
      return undefined;
    }
  }

  #entry(field: number, key: string, value: Sendable): void {
    this.#out.message(field, () => {
      this.#out.text(1, key);
      this.#out.message(2, () => this.#any(value));
    });
  }

  #any(value: Sendable): void {
    const out = this.#out;
    if (typeof value === 'string') out.text(ANY.string, value, true);
    else if (typeof value === 'boolean') out.number(ANY.bool, value ? 1 : 0, true);
    else if (typeof value === 'bigint') out.int64(ANY.int, value);
    else if (typeof value === 'number') {
      if (Number.isSafeInteger(value) && value >= 0) out.number(ANY.int, value, true);
      else if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) out.int64(ANY.int, BigInt(value));
      else out.double(ANY.double, value);
    } else if (value instanceof SendableMap) {
      out.message(ANY.map, () => {
        for (const [key, each] of value.entries) this.#entry(1, key, each);
      });
    } else if (value instanceof Uint8Array) out.raw(ANY.bytes, value);
    else {
      out.message(ANY.array, () => {
        for (const each of value) out.message(1, () => this.#any(each));
      });
    }
  }
}

function build(write: (out: ProtobufWriter) => void): Buffer {
  const out = new ProtobufWriter();
  out.reset(0);
  write(out);
  return Buffer.from(out.bytes.subarray(0, out.position));
}

function attribute(out: ProtobufWriter, key: string, writeValue: () => void): void {
  out.message(SPAN.attributes, () => {
    out.text(1, key);
    out.message(2, writeValue);
  });
}

/** Works on the output of {@link ProtobufSpanEncoder}. Concatenated protobuf messages are merged on decoding. */
export const ENCODED_PROTOBUF: EncodedSpans = {
  contentType: 'application/x-protobuf',
  keyOf: (span) => span.toString('latin1', 2, 28),
  abandon: (start, endUnixNano) =>
    Buffer.concat([
      start,
      build((out) => {
        out.fixed64(SPAN.end, endUnixNano);
        attribute(out, ATTRIBUTE.outcome, () => out.text(ANY.string, 'abandoned'));
        attribute(out, ATTRIBUTE.errorType, () => out.text(ANY.string, 'abandoned'));
        attribute(out, ATTRIBUTE.recovered, () => out.number(ANY.bool, 1));
        out.message(SPAN.status, () => out.number(STATUS.code, STATUS_CODE_ERROR));
        out.fixed32(SPAN.flags, flagsOf(1, undefined));
      }),
    ]),
  request: (resource, scopes) =>
    build((out) => {
      out.message(1, () => {
        out.raw(1, Buffer.from(resource, 'base64'));
        for (const { scope, spans } of scopes) {
          out.message(2, () => {
            out.append(Buffer.from(scope, 'base64'));
            for (const span of spans) out.raw(2, span);
          });
        }
      });
    }),
  resourceOf: (serviceName) =>
    build((out) =>
      out.message(1, () => {
        out.text(1, ATTRIBUTE.serviceName);
        out.message(2, () => out.text(ANY.string, serviceName));
      }),
    ).toString('base64'),
  unknownScope: build((out) => out.message(1, () => out.text(1, 'unknown'))).toString('base64'),
};
