import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Right } from '../access/access.ts';
import type { OtlpEncoding } from '../otlp/decode-body.ts';

/** `POST` to this path returns a copy of the running back end's store. */
export const BACKUP_PATH = '/api/v1/backup';

/** A response with status 200. */
export interface HttpAnswer {
  contentType: string;
  body: Uint8Array | string | Readable;
  /** Additional headers; they override the default headers. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Length in bytes of a body that is a stream. */
  contentLength?: number | undefined;
}

/** Handles one path and method; throws an {@link HttpRefusal} for any response but success. */
export interface Route {
  method: 'GET' | 'POST';
  /** The right that the sender needs. */
  right: Right | 'none';
  /** @param rights - the rights of the sender */
  handle(request: IncomingMessage, url: URL, rights: ReadonlySet<Right>): Promise<HttpAnswer>;
}

/** Thrown to send an error response. */
export class HttpRefusal extends Error {
  override readonly name: string = 'HttpRefusal';
  readonly status: number;
  /** Additional headers, such as `Allow`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.headers = headers;
  }
}

/** The client closed the connection before its request was complete, so there is no response. */
export class ClientGone extends HttpRefusal {
  override readonly name = 'ClientGone';

  constructor() {
    super(400, 'the connection was closed before the body was complete');
  }
}

/** The media type of each encoding (OTLP specification, OTLP/HTTP Request). */
export const MEDIA_TYPES: Readonly<Record<OtlpEncoding, string>> = {
  json: 'application/json',
  protobuf: 'application/x-protobuf',
};

/** The encoding of a `Content-Type` header; undefined for any other media type. */
export function encodingOf(contentType: string | undefined): OtlpEncoding | undefined {
  const mediaType = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  return mediaType === MEDIA_TYPES.json ? 'json' : mediaType === MEDIA_TYPES.protobuf ? 'protobuf' : undefined;
}

/** Which spans of a request with response status 200 were not stored, and why. */
export interface PartialSuccess {
  rejectedSpans: number;
  errorMessage: string;
}

/** An `ExportTraceServiceResponse`; without a partial success, everything was accepted. */
export function acceptedBody(encoding: OtlpEncoding, partialSuccess?: PartialSuccess): Uint8Array | string {
  if (partialSuccess === undefined) return encoding === 'json' ? '{}' : new Uint8Array();
  const { rejectedSpans, errorMessage } = partialSuccess;
  if (encoding === 'json') {
    return JSON.stringify({ partialSuccess: { rejectedSpans: String(rejectedSpans), errorMessage } });
  }
  return new BinaryWriter()
    .uint32(tag(1, LENGTH_DELIMITED))
    .fork()
    .uint32(tag(1, VARINT))
    .int64(rejectedSpans)
    .uint32(tag(2, LENGTH_DELIMITED))
    .string(errorMessage)
    .join()
    .finish();
}

/** A `google.rpc.Status`, which OTLP/HTTP requires as the body of every failure (OTLP specification, Failures). */
export function statusBody(httpStatus: number, message: string, encoding: OtlpEncoding): Uint8Array | string {
  const code = RPC_CODES[httpStatus] ?? (httpStatus < 500 ? RPC_INVALID_ARGUMENT : RPC_INTERNAL);
  if (encoding === 'json') return JSON.stringify({ code, message });
  return new BinaryWriter()
    .uint32(tag(1, VARINT))
    .int32(code)
    .uint32(tag(2, LENGTH_DELIMITED))
    .string(message)
    .finish();
}

/** Numbers of `google.rpc.Code` (code.proto). */
const RPC_INVALID_ARGUMENT = 3;
const RPC_INTERNAL = 13;
const RPC_CODES: Readonly<Record<number, number>> = { 401: 16, 403: 7, 404: 5, 405: 12, 503: 14 };

const VARINT = 0;
const LENGTH_DELIMITED = 2;

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

/**
 * Reads the JSON object in the body of a small request. Only `application/json` is accepted, because a form on a page
 * of another origin cannot send it.
 * @throws {@link HttpRefusal} 415, 413, 400; {@link ClientGone} if the connection is closed before the end
 */
export async function readJsonObject(request: IncomingMessage, maxBytes: number): Promise<Record<string, unknown>> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new HttpRefusal(415, 'the content type must be application/json');
  }
  let text = '';
  try {
    for await (const chunk of request.setEncoding('utf8')) {
      text += String(chunk);
      if (text.length > maxBytes) throw new HttpRefusal(413, `the body is larger than ${maxBytes} bytes`);
    }
  } catch (error) {
    if (error instanceof HttpRefusal) throw error;
    throw new ClientGone();
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HttpRefusal(400, 'the body is not valid JSON', {}, { cause: error });
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new HttpRefusal(400, 'the body is not a JSON object');
}
