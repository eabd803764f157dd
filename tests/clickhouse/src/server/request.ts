import type { IncomingMessage } from 'node:http';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { unpackBlocks } from './compressed-blocks.ts';

/** One request of ClickHouse's HTTP interface, taken apart. */
export interface ClickHouseRequest {
  method: string;
  /** Of the address, and of the fields of a form. */
  parameters: URLSearchParams;
  headers: IncomingMessage['headers'];
  /** Statement, or data of a statement that stands in the address. */
  body: Buffer;
}

const FORM = /multipart\/form-data.*boundary="?([^";]+)/;

/** Reads a whole request, its body decompressed in the ways that ClickHouse knows. */
export async function readRequest(message: IncomingMessage): Promise<ClickHouseRequest> {
  const parameters = new URL(message.url ?? '/', 'http://localhost').searchParams;
  let body = await readBody(message);
  if (parameters.get('decompress') === '1') body = unpackBlocks(body);
  const boundary = FORM.exec(message.headers['content-type'] ?? '')?.[1];
  if (boundary !== undefined) {
    addFormFields(parameters, body.toString(), boundary);
    body = Buffer.alloc(0);
  }
  return { method: message.method ?? 'GET', parameters, headers: message.headers, body };
}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of decoded(message)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function decoded(message: IncomingMessage): AsyncIterable<Buffer> {
  switch (message.headers['content-encoding']) {
    case 'gzip':
      return message.pipe(createGunzip());
    case 'deflate':
      return message.pipe(createInflate());
    case 'br':
      return message.pipe(createBrotliDecompress());
    default:
      return message;
  }
}

function addFormFields(parameters: URLSearchParams, form: string, boundary: string): void {
  for (const part of form.split(`--${boundary}`).slice(1, -1)) {
    const headEnd = part.indexOf('\r\n\r\n');
    const name = /name="([^"]*)"/.exec(part)?.[1];
    if (name !== undefined) parameters.set(name, part.slice(headEnd + 4, -2));
  }
}
