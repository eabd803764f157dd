import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { OtlpEncoding } from '../otlp/decode-body.ts';

/** The media type of each encoding (OTLP specification, OTLP/HTTP Request). */
export const MEDIA_TYPES: Readonly<Record<OtlpEncoding, string>> = {
  json: 'application/json',
  protobuf: 'application/x-protobuf',
};

/** The encoding that a `Content-Type` header names; undefined for any other type. */
export function encodingOf(contentType: string | undefined): OtlpEncoding | undefined {
  const mediaType = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  return mediaType === MEDIA_TYPES.json ? 'json' : mediaType === MEDIA_TYPES.protobuf ? 'protobuf' : undefined;
}

/** An `Export…ServiceResponse` without a partial success: everything was taken. */
export function acceptedBody(encoding: OtlpEncoding): Uint8Array | string {
  return encoding === 'json' ? '{}' : new Uint8Array();
}

/** A `google.rpc.Status`, which OTLP/HTTP wants as the body of every failure (OTLP specification, Failures). */
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
const RPC_CODES: Readonly<Record<number, number>> = { 403: 7, 404: 5, 405: 12, 503: 14 };

const VARINT = 0;
const LENGTH_DELIMITED = 2;

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}
