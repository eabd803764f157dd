import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { ClientGone, HttpRefusal } from './http-answer.ts';
import type { MemoryBudget, MemoryLease } from './memory-budget.ts';

/** The decompressed body of a request, and its memory lease, which must be released. */
export interface ReceivedBody {
  bytes: Buffer;
  lease: MemoryLease;
}

const SLICE_BYTES = 65_536;
/**
 * Bytes of memory per byte of a body: it is in the received chunk, in the whole body, and in the decoded data.
 */
const COPIES = 3;

/**
 * Receives the body of a request, and decompresses it as it arrives.
 * @param maxBytes - Limit before and after decompression; nothing is read or decompressed beyond it.
 * @throws {@link HttpRefusal} 413 for a larger body, 415 for an unknown encoding, 400 for an invalid one, 503 and 408
 *   if memory is short; {@link ClientGone} if the connection is closed before the end
 */
export function readBody(request: IncomingMessage, maxBytes: number, budget: MemoryBudget): Promise<ReceivedBody> {
  return new Promise((resolve, reject) => {
    const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    const inflater = inflaterFor(encoding);
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge('body', maxBytes);
    // With a known length, the chunks need not be concatenated at the end, and it is clear in advance whether the body
    // fits: rejecting some bodies immediately is better than aborting all of them half-way. A wrong length only costs
    // memory of the budget.
    const known = inflater === undefined ? Number(request.headers['content-length'] ?? 0) : 0;
    const whole = known > SLICE_BYTES ? Buffer.allocUnsafeSlow(known) : undefined;
    const sealed = encoding === 'zstd' ? zstdSeal() : undefined;
    const chunks: Buffer[] = [];
    let receivedBytes = 0;
    let keptBytes = 0;

    const lease = budget.lease((refusal) => fail(refusal));
    const stop = (): void => {
      budget.transferred(lease);
      request.off('data', receive).off('end', end).off('close', closed).off('error', closed);
      inflater?.off('data', keep).off('end', succeed).off('error', broken);
      // Ignores errors after it was destroyed.
      inflater?.on('error', () => undefined).destroy();
    };
    const fail = (reason: Error): void => {
      stop();
      lease.release();
      chunks.length = 0;
      reject(reason);
    };
    const succeed = (): void => {
      const bytes =
        whole?.subarray(0, keptBytes) ?? (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, keptBytes));
      if (sealed === undefined) {
        stop();
        resolve({ bytes, lease });
      } else if (bytes.subarray(-sealed.text.length).equals(sealed.text)) {
        stop();
        resolve({ bytes: bytes.subarray(0, -sealed.text.length), lease });
      } else {
        broken(new Error('unexpected end of file'));
      }
    };
    const keep = (chunk: Buffer): void => {
      keptBytes += chunk.length;
      if (keptBytes > maxBytes) {
        fail(tooLarge(inflater === undefined ? 'body' : 'inflated body', maxBytes));
        return;
      }
      try {
        if (whole === undefined) lease.add(chunk.length * COPIES);
        if (whole === undefined) chunks.push(chunk);
        else chunk.copy(whole, keptBytes - chunk.length);
      } catch (refusal) {
        fail(refusal as HttpRefusal);
      }
    };
    const receive = (chunk: Buffer): void => {
      receivedBytes += chunk.length;
      if (receivedBytes > maxBytes) {
        fail(tooLarge('body', maxBytes));
      } else if (inflater === undefined) {
        keep(chunk);
      } else if (!inflater.write(chunk)) {
        request.pause();
        inflater.once('drain', () => request.resume());
      }
    };
    const end = (): void => {
      if (inflater === undefined) succeed();
      else inflater.end(sealed?.frame);
    };
    const broken = (error: Error): void =>
      fail(new HttpRefusal(400, `the body is not valid ${encoding}: ${error.message}`, {}, { cause: error }));
    const closed = (): void => {
      if (!request.complete) fail(new ClientGone());
    };
    try {
      lease.add((whole?.length ?? 0) * COPIES);
    } catch (refusal) {
      fail(refusal as HttpRefusal);
      return;
    }
    request.on('data', receive).once('end', end).once('close', closed).once('error', closed);
    inflater?.on('data', keep).once('end', succeed).once('error', broken);
  });
}

/** Available from Node.js 22.15. */
const { createZstdDecompress, zstdCompressSync } = process.getBuiltinModule('node:zlib') as {
  createZstdDecompress?: (options: { chunkSize: number }) => Transform;
  zstdCompressSync?: (text: Buffer) => Buffer;
};

const SEAL_TEXT = Buffer.from('end of the body');

/**
 * A frame that is appended to a zstd body. Its text is at the end of the output only if the body is complete: Node.js
 * 22 reports no error for a truncated body.
 */
function zstdSeal(): { text: Buffer; frame: Buffer } {
  return { text: SEAL_TEXT, frame: zstdCompressSync!(SEAL_TEXT) };
}

/** The decompression stream for `encoding`; undefined if the body is not compressed. */
function inflaterFor(encoding: string): Transform | undefined {
  switch (encoding) {
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip({ chunkSize: SLICE_BYTES });
    case 'deflate':
      return createInflate({ chunkSize: SLICE_BYTES });
    case 'zstd':
      if (createZstdDecompress !== undefined) return createZstdDecompress({ chunkSize: SLICE_BYTES });
  }
  const taken = createZstdDecompress === undefined ? ['gzip', 'deflate'] : ['gzip', 'deflate', 'zstd'];
  const zstd = encoding === 'zstd' ? '; zstd needs Node.js 22.15 or newer' : '';
  throw new HttpRefusal(
    415,
    `the content encoding must be ${taken.join(', ')} or none, got ${JSON.stringify(encoding)}${zstd}`,
    { 'accept-encoding': taken.join(', ') },
  );
}

function tooLarge(what: string, maxBytes: number): HttpRefusal {
  return new HttpRefusal(413, `the ${what} is larger than ${maxBytes} bytes`);
}
