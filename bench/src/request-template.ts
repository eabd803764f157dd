import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { generateSpans } from './generate-spans.ts';

/** How a request body is written. */
export type Encoding = 'json' | 'protobuf';

/** A place in a body at which ids or times stand. */
interface Place {
  offset: number;
  /** Nanoseconds behind the start of the body; for times only. */
  behindNano: bigint;
}

/** A prepared body whose spans become new ones by writing over some bytes, so that sending costs next to nothing. */
export interface RequestTemplate {
  readonly spanCount: number;
  /** The body, with ids of which the first 32 bits are `nonce` and times from `startNano` on. Changes in place. */
  bodyWith(nonce: number, startNano: bigint): Buffer;
}

const CONVERSATION_GAP_MS = 20;

/** Prepares a body with `spanCount` generated spans, written by the stock serializer. */
export function prepareRequest(spanCount: number, encoding: Encoding): RequestTemplate {
  const startMs = 1_760_000_000_000;
  const startNano = BigInt(startMs) * 1_000_000n;
  const spans = generateSpans(spanCount, startMs, CONVERSATION_GAP_MS);
  const serializer = encoding === 'json' ? JsonTraceSerializer : ProtobufTraceSerializer;
  const body = Buffer.from(serializer.serializeRequest(spans)!);
  const isJson = encoding === 'json';
  const ids = new Set(spans.flatMap((span) => [span.spanContext().traceId, span.spanContext().spanId]));
  const idPlaces = [...ids].flatMap((hex) => placesOf(body, isJson ? Buffer.from(hex) : Buffer.from(hex, 'hex')));
  const times = new Set(spans.flatMap((span) => [nanoOf(span.startTime), nanoOf(span.endTime)]));
  const timePlaces = [...times].flatMap((nano) =>
    placesOf(body, isJson ? Buffer.from(String(nano)) : littleEndian(nano)).map((offset): Place => ({
      offset,
      behindNano: nano - startNano,
    })),
  );
  return {
    spanCount,
    bodyWith(nonce, newStartNano) {
      const prefix = isJson ? nonce.toString(16).padStart(8, '0') : '';
      for (const offset of idPlaces) {
        if (isJson) body.write(prefix, offset, 'latin1');
        else body.writeUInt32BE(nonce, offset);
      }
      for (const { offset, behindNano } of timePlaces) {
        if (isJson) body.write(String(newStartNano + behindNano), offset, 'latin1');
        else body.writeBigUInt64LE(newStartNano + behindNano, offset);
      }
      return body;
    },
  };
}

function placesOf(body: Buffer, needle: Buffer): number[] {
  const places: number[] = [];
  for (let at = body.indexOf(needle); at >= 0; at = body.indexOf(needle, at + needle.length)) places.push(at);
  if (places.length === 0) throw new Error('an id or a time is not in the body');
  return places;
}

function nanoOf([seconds, nanoseconds]: readonly [number, number]): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}

function littleEndian(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
