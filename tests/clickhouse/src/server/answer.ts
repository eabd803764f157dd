import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createGzip, gzipSync } from 'node:zlib';
import type { EngineResult } from './chdb.ts';
import { packBlocks } from './compressed-blocks.ts';
import type { ClickHouseRequest } from './request.ts';

/** What every answer says in its head. */
export interface AnswerHead {
  queryId: string;
  format: string;
  timeZone: string;
  result?: EngineResult | undefined;
  writtenRows?: number | undefined;
}

/** Writes one answer: whole, or in a stream, in the compression that the request asked for. */
export class Answer {
  readonly #response: ServerResponse;
  readonly #isPacked: boolean;
  readonly #isGzip: boolean;

  constructor(response: ServerResponse, { parameters, headers }: ClickHouseRequest) {
    this.#response = response;
    this.#isPacked = parameters.get('compress') === '1';
    this.#isGzip =
      !this.#isPacked &&
      parameters.get('enable_http_compression') === '1' &&
      /gzip/.test(String(headers['accept-encoding'] ?? ''));
  }

  /** Writes an answer that is there as a whole. */
  writeWhole(data: Buffer, head: AnswerHead): void {
    this.#writeHead(head);
    let body = data;
    if (data.length > 0 && this.#isPacked) body = packBlocks(data);
    else if (data.length > 0 && this.#isGzip) {
      this.#response.setHeader('Content-Encoding', 'gzip');
      body = gzipSync(data, { level: 3 });
    }
    this.#response.setHeader('Content-Length', body.length);
    this.#response.end(body);
  }

  /**
   * Writes rows as they come. An error after the head is out follows the rows in ClickHouse's frame for it, the tag of
   * which stands in the head; `describe` words it.
   */
  async writeStream(
    rows: AsyncIterable<Buffer>,
    head: AnswerHead,
    describe: (error: unknown) => string,
  ): Promise<void> {
    const response = this.#response;
    const tag = randomBytes(8).toString('hex');
    this.#writeHead(head);
    response.setHeader('X-ClickHouse-Exception-Tag', tag);
    let output: NodeJS.WritableStream = response;
    if (this.#isGzip) {
      response.setHeader('Content-Encoding', 'gzip');
      const gzip = createGzip({ level: 3 });
      gzip.pipe(response);
      output = gzip;
    }
    const gone = new Promise<void>((resolve) => response.once('close', () => resolve()));
    const write = async (data: Buffer): Promise<void> => {
      if (output.write(this.#isPacked ? packBlocks(data) : data)) return;
      await Promise.race([new Promise<void>((resolve) => output.once('drain', () => resolve())), gone]);
    };
    try {
      for await (const part of rows) {
        if (response.destroyed) return;
        await write(part);
      }
    } catch (error) {
      const text = Buffer.from(describe(error).trimEnd());
      const start = Buffer.from(`\r\n__exception__\r\n${tag}\r\n`);
      const end = Buffer.from(`\n${text.length + 1} ${tag}\r\n__exception__\r\n`);
      await write(Buffer.concat([start, text, end]));
    }
    output.end();
  }

  #writeHead({ queryId, format, timeZone, result, writtenRows = 0 }: AnswerHead): void {
    const summary = { read_rows: `${result?.rowsRead ?? 0}`, read_bytes: `${result?.bytesRead ?? 0}` };
    const headers = {
      'X-ClickHouse-Query-Id': queryId,
      'X-ClickHouse-Format': format,
      'X-ClickHouse-Timezone': timeZone,
      'X-ClickHouse-Server-Display-Name': 'tests',
      'X-ClickHouse-Summary': JSON.stringify({ ...summary, written_rows: `${writtenRows}` }),
      'Content-Type': contentTypeOf(format),
    };
    for (const [name, value] of Object.entries(headers)) this.#response.setHeader(name, value);
  }
}

function contentTypeOf(format: string): string {
  if (/EachRow/i.test(format)) return 'application/x-ndjson; charset=UTF-8';
  if (/^JSON/i.test(format)) return 'application/json; charset=UTF-8';
  if (/^T(SV|ab)/i.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  return 'application/octet-stream';
}
