import { randomInt } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Random } from '../random.ts';

/**
 * Systems give ports above these to whoever asks for any. While the sink refuses, another server could get such a port, and
 * with it spans that are meant for the sink.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

export type SinkMode = 'ok' | '503' | 'hang' | 'trickle' | 'reset' | 'refuse' | 'flaky';

interface SinkSpan {
  traceId: string;
  spanId: string;
  name: string;
  attributes: { key: string; value: Record<string, unknown> }[];
}

/** A back end on a real port that keeps what it accepted, and fails as it is told. */
export class Sink {
  readonly spans = new Map<string, { copies: number; contents: Set<string>; isAbandoned: boolean }>();
  requests = 0;
  mode: SinkMode = 'ok';
  /** A request that holds a span for which this is true is answered 400. */
  poison: ((span: SinkSpan) => boolean) | undefined;
  /** Sees each span that is accepted. */
  inspect: ((span: SinkSpan) => void) | undefined;
  url = '';
  acceptedBytes = 0;
  readonly #random: Random;
  readonly #keeps: 'spans' | 'counts';
  readonly #server = createServer((request, response) => this.#hear(request, response));
  #port = 0;

  /** `counts` keeps only how much came: for runs in which the memory is measured. */
  constructor(random: Random, keeps: 'spans' | 'counts' = 'spans') {
    this.#random = random;
    this.#keeps = keeps;
  }

  async start(): Promise<void> {
    if (this.#port !== 0) await this.#listen(this.#port);
    while (this.#port === 0) {
      try {
        const port = randomInt(FIRST_PORT, LAST_PORT);
        await this.#listen(port);
        this.#port = port;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
    this.url = `http://127.0.0.1:${this.#port}`;
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Nobody listens any more. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  async setMode(mode: SinkMode): Promise<void> {
    if (mode === 'refuse') await this.stop();
    else if (!this.#server.listening) await this.start();
    this.mode = mode;
    // What hung or trickled ends with the outage.
    if (mode === 'ok') this.#server.closeAllConnections();
  }

  #hear(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url?.endsWith('/v1/traces') !== true) return void response.end('{}');
      this.requests += 1;
      this.#answer(Buffer.concat(chunks), request, response);
    });
  }

  #answer(body: Buffer, request: IncomingMessage, response: ServerResponse): void {
    switch (this.mode) {
      case 'hang':
        return;
      case '503':
        return void response.writeHead(503).end('busy');
      case 'trickle': {
        response.writeHead(200, { 'content-length': 100_000 });
        const timer = setInterval(() => response.write(' '), 500);
        response.on('close', () => clearInterval(timer));
        return;
      }
      case 'reset':
        response.writeHead(200, { 'content-length': 1000 });
        response.write('{');
        setTimeout(() => request.socket.destroy(), 5);
        return;
      case 'flaky':
        if (this.#random.chance(0.7)) {
          if (this.#random.chance(0.3)) return void request.socket.destroy();
          return void response.writeHead(this.#random.pick([429, 502, 503, 504])).end();
        }
    }
    this.#accept(body, response);
  }

  #accept(body: Buffer, response: ServerResponse): void {
    this.acceptedBytes += body.length;
    if (this.#keeps === 'counts') return void response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    const { resourceSpans } = JSON.parse(body.toString()) as {
      resourceSpans: { scopeSpans: { spans: SinkSpan[] }[] }[];
    };
    const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    if (this.poison !== undefined && spans.some(this.poison)) return void response.writeHead(400).end('a bad span');
    for (const span of spans) this.#remember(span);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }

  #remember(span: SinkSpan): void {
    this.inspect?.(span);
    const key = span.spanId;
    const known = this.spans.get(key) ?? { copies: 0, contents: new Set<string>(), isAbandoned: false };
    known.copies += 1;
    known.contents.add(JSON.stringify(span));
    known.isAbandoned = span.attributes.some(
      ({ key: name, value }) => name === 'conversation.recovered' && value['boolValue'] === true,
    );
    this.spans.set(key, known);
  }
}
