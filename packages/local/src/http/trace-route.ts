import type { IncomingMessage } from 'node:http';
import type { SpanRecord } from '@convotel/query';
import { OtlpFormatError } from '@convotel/query/engine';
import { LocalError } from '../local-error.ts';
import { decodeTraceBody, type OtlpEncoding } from '../otlp/decode-body.ts';
import type { Route } from './create-server.ts';
import { HttpRefusal } from './http-refusal.ts';
import { acceptedBody, encodingOf, MEDIA_TYPES } from './otlp-answer.ts';
import type { Precedence } from './precedence.ts';
import { readBody } from './read-body.ts';
import { Turns } from './turns.ts';

/** Seconds after which a client may try again while the store cannot be written. */
const RETRY_AFTER_SECONDS = 5;

/** Takes spans; resolves once they are kept for good. */
export interface SpanSink {
  append(spans: readonly SpanRecord[]): Promise<void>;
}

/** `POST /v1/traces`: answers 200 only after `sink` has kept the spans. What has precedence is let past. */
export function traceRoute(sink: SpanSink, maxBodyBytes: number, precedence: Precedence): Route {
  const turns = new Turns(precedence);
  return {
    method: 'POST',
    async handle(request) {
      const encoding = checkedEncoding(request);
      const body = await readBody(request, maxBodyBytes);
      const spans = await turns.take(() => decode(body, encoding));
      await keep(sink, spans);
      return { contentType: MEDIA_TYPES[encoding], body: acceptedBody(encoding) };
    },
  };
}

/** `POST /v1/metrics` and `/v1/logs`: takes and drops them, and tells `onDropped`. */
export function droppingRoute(maxBodyBytes: number, onDropped: () => void): Route {
  return {
    method: 'POST',
    async handle(request) {
      const encoding = checkedEncoding(request);
      await readBody(request, maxBodyBytes);
      onDropped();
      return { contentType: MEDIA_TYPES[encoding], body: acceptedBody(encoding) };
    },
  };
}

function checkedEncoding(request: IncomingMessage): OtlpEncoding {
  const encoding = encodingOf(request.headers['content-type']);
  if (encoding !== undefined) return encoding;
  throw new HttpRefusal(415, `the content type must be ${MEDIA_TYPES.json} or ${MEDIA_TYPES.protobuf}`);
}

function decode(body: Buffer, encoding: OtlpEncoding): SpanRecord[] {
  try {
    return decodeTraceBody(body, encoding);
  } catch (error) {
    if (error instanceof OtlpFormatError) throw new HttpRefusal(400, error.message, {}, { cause: error });
    throw error;
  }
}

async function keep(sink: SpanSink, spans: readonly SpanRecord[]): Promise<void> {
  try {
    await sink.append(spans);
  } catch (error) {
    if (!(error instanceof LocalError)) throw error;
    throw new HttpRefusal(503, error.message, { 'retry-after': String(RETRY_AFTER_SECONDS) }, { cause: error });
  }
}
