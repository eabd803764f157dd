import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { context } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { OTLPExporterError } from '@opentelemetry/otlp-exporter-base';
import type { ExportResponse, IExporterTransport } from '@opentelemetry/otlp-exporter-base';
import type { OtlpTarget } from './otlp-target.ts';
import { clearTimer, setTimer } from '../settings/timers.ts';
import { ProxyTunnelAgent, requestToProxy } from './proxy.ts';

const compress = promisify(gzip);
/** The rest of a longer response is discarded: the beginning contains the error message. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Upper bound of the server's `Retry-After`. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;
const MAX_SOCKETS = 8;

/** The back end sent no complete response, or one that is not OTLP; `message` briefly says why. */
class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/**
 * Sends OTLP over HTTP, one request per call, without retries and with an absolute deadline. Its sockets never keep the
 * process alive. Errors contain the status and text of the server's response, else the cause of the failed connection.
 */
export class HttpTransport implements IExporterTransport {
  readonly #target: OtlpTarget;
  readonly #contentType: string;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #isOwnAgent: boolean;
  readonly #running = new Set<ClientRequest>();
  #isStopped = false;

  constructor(target: OtlpTarget, contentType: string) {
    this.#target = target;
    this.#contentType = contentType;
    this.#isOwnAgent = target.agent === undefined;
    this.#agent = target.agent ?? agentFor(target);
  }

  async send(data: Uint8Array, timeoutMs: number, contentType = this.#contentType): Promise<ExportResponse> {
    if (this.#isStopped) return failed(new NoAnswerError('tracing was stopped'));
    const isCompressed = this.#target.compression === 'gzip';
    const body = isCompressed ? await compress(data) : data;
    const headers: Record<string, string | number> = {
      'user-agent': 'convotel-sdk-node',
      ...this.#target.headers,
      'content-type': contentType,
      'content-length': body.byteLength,
      ...(isCompressed && { 'content-encoding': 'gzip' }),
    };
    // HTTP instrumentation must not trace our own exports.
    try {
      return await context.with(suppressTracing(context.active()), () =>
        this.#request(body, headers, timeoutMs, false),
      );
    } catch (error) {
      // Node.js rejects the request, for example because the agent is for another protocol.
      return failed(error);
    }
  }

  shutdown(): void {
    this.#isStopped = true;
    for (const request of this.#running) request.destroy(new NoAnswerError('tracing was stopped'));
    if (this.#isOwnAgent) this.#agent.destroy();
  }

  #request(
    body: Uint8Array,
    headers: Record<string, string | number>,
    timeoutMs: number,
    isSecondTry: boolean,
  ): Promise<ExportResponse> {
    return new Promise((resolve) => {
      const request = this.#open(headers);
      this.#running.add(request);
      const deadline = setTimer(
        () => request.destroy(new NoAnswerError(`no complete answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      const finish = (response: ExportResponse | Promise<ExportResponse>): void => {
        clearTimer(deadline);
        this.#running.delete(request);
        resolve(response);
      };
      request.on('socket', (socket) => socket.unref());
      request.on('response', (response) => {
        void readAnswer(response).then(
          (text) => finish(judge(response, text)),
          (error: unknown) => finish(failed(error)),
        );
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        // A server may close an idle connection just as it is reused.
        const isStale = request.reusedSocket && error.code === 'ECONNRESET' && !isSecondTry && !this.#isStopped;
        finish(isStale ? this.#request(body, headers, timeoutMs, true) : failed(error));
      });
      request.end(body);
    });
  }

  #open(headers: Record<string, string | number>): ClientRequest {
    const { url, proxy } = this.#target;
    const options = { method: 'POST', agent: this.#agent };
    if (url.protocol === 'https:') return httpsRequest(url, { ...options, headers });
    if (proxy === undefined) return httpRequest(url, { ...options, headers });
    // A plain HTTP proxy gets the full URL (RFC 9112, absolute-form), but credentials for the back end in a header.
    const { host, username, password } = url;
    const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    const authorization = username === '' ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` };
    const path = `http://${host}${url.pathname}${url.search}`;
    return requestToProxy(proxy, { ...options, path }, { ...authorization, ...headers, host });
  }
}

function agentFor({ url, proxy, tls }: OtlpTarget): HttpAgent | HttpsAgent {
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS };
  if (url.protocol === 'http:') return proxy?.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  return proxy === undefined
    ? new HttpsAgent({ ...options, ...tls })
    : new ProxyTunnelAgent(proxy, { ...options, ...tls });
}

function failed(error: unknown): ExportResponse {
  // Not `instanceof`: under Jest, errors of Node.js's own modules belong to another realm.
  const isError = typeof error === 'object' && error !== null && 'message' in error;
  return { status: 'retryable', error: isError ? (error as Error) : new NoAnswerError(String(error)) };
}

async function readAnswer(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
  }
  if (!response.complete) throw new NoAnswerError('the connection was cut in the middle of the answer');
  return Buffer.concat(chunks);
}

function judge({ statusCode = 0, statusMessage = '', headers }: IncomingMessage, answer: Buffer): ExportResponse {
  const isPage = headers['content-type']?.includes('text/html') === true;
  if (statusCode >= 200 && statusCode < 300) {
    if (!isPage) return { status: 'success', data: answer };
    return failed(new NoAnswerError('answered with a web page, so this is not the address of an OTLP receiver'));
  }
  const text = isPage || answer.length === 0 ? statusMessage : answer.toString();
  const error = new OTLPExporterError(statusMessage, statusCode, text);
  if (statusCode === 400 || statusCode === 413 || statusCode === 422) return { status: 'failure', error };
  const retryInMillis = retryAfterMs(headers['retry-after']);
  return { status: 'retryable', error, ...(retryInMillis !== undefined && { retryInMillis }) };
}

/** `Retry-After` in seconds or as a date (RFC 9110). */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : undefined;
}
