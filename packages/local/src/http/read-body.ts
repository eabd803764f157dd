import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { HttpRefusal } from './http-refusal.ts';

const inflate = promisify(gunzip);

/**
 * The body of a request, inflated.
 * @param maxBytes - Most bytes before and after inflating; it reads and inflates no further.
 * @throws {@link HttpRefusal} 413 for a larger body, 415 for an encoding other than gzip, 400 for broken gzip
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new HttpRefusal(415, `the content encoding must be gzip or none, got ${JSON.stringify(encoding)}`, {
      'accept-encoding': 'gzip',
    });
  }
  const body = await receive(request, maxBytes);
  if (encoding === 'identity') return body;
  try {
    return await inflate(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge('inflated body', maxBytes);
    throw new HttpRefusal(400, `the body is no gzip: ${(error as Error).message}`, {}, { cause: error });
  }
}

function receive(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
      reject(tooLarge('body', maxBytes));
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    const refuse = (): void => {
      request.off('data', take);
      reject(tooLarge('body', maxBytes));
    };
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > maxBytes) refuse();
      else chunks.push(chunk);
    };
    request.on('data', take);
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length)));
    request.once('error', reject);
    // A body that was cut off ends with neither.
    request.once('close', () => reject(new HttpRefusal(400, 'the body was cut off')));
  });
}

function tooLarge(what: string, maxBytes: number): HttpRefusal {
  return new HttpRefusal(413, `the ${what} is larger than ${maxBytes} bytes`);
}
