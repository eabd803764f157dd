import { get as getPlain, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http';
import { get as getSecure } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { authorizationFor, shownAddress, SourceError } from '../errors.ts';

/** Options of {@link HttpClient}. */
export interface HttpSettings {
  /** Timeout of one request, including its response body, in milliseconds. */
  timeoutMs: number;
  /** Maximum number of attempts if the network fails or the server is busy. @defaultValue `1` */
  attempts?: number | undefined;
  /** Maximum size of a response body, in bytes. @defaultValue `Infinity` */
  maxAnswerBytes?: number | undefined;
  /** Sent with every request. @defaultValue none */
  headers?: Readonly<Record<string, string>> | undefined;
  /** The server to start if nothing answers. Completes the sentence "Start … there". @defaultValue Jaeger or serve */
  expected?: string | undefined;
}

/** The path of the Unix socket in an address such as `unix:/run/convotel.sock`; undefined for any other address. */
export function socketPathOf(address: string): string | undefined {
  return /^unix:(?=\/)/i.test(address) ? address.slice('unix:'.length) : undefined;
}

/** A response with any status; redirects are not followed. */
export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** A response body exceeds `maxAnswerBytes`. */
export class AnswerTooLargeError extends Error {
  override readonly name = 'AnswerTooLargeError';
}

/** Statuses of a server or proxy that is busy, restarting or rate-limiting. */
export const TEMPORARY_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const FIRST_PAUSE_MS = 100;

/**
 * Makes GET requests to one HTTP or HTTPS address.
 *
 * It does not use Node's `fetch`, because loading that takes longer than everything else in a command that asks one
 * question.
 */
export class HttpClient {
  /** The address without credentials. */
  readonly location: string;
  readonly #base: string;
  readonly #socketPath: string | undefined;
  readonly #settings: HttpSettings;
  readonly #headers: Readonly<Record<string, string>>;

  /**
   * @param address Such as `http://127.0.0.1:16686`, with the path of a proxy or with credentials if needed; or `unix:`
   *   and the path of a socket.
   * @throws {@link SourceError} `UNREACHABLE` if it is not an address.
   */
  constructor(address: string, settings: HttpSettings) {
    this.#socketPath = socketPathOf(address);
    const url = this.#socketPath === undefined ? parseAddress(address) : new URL('http://localhost');
    // Credentials are sent in a header, so that no message or log can show them.
    const authorization = authorizationFor(url);
    url.username = url.password = url.search = url.hash = '';
    this.#base = url.href.replace(/\/+$/, '');
    this.location = this.#socketPath === undefined ? shownAddress(address) : address;
    this.#settings = settings;
    // Over loopback and local networks, compressing takes longer than sending.
    const headers = { accept: 'application/json', 'accept-encoding': 'identity', ...authorization };
    this.#headers = { ...headers, ...settings.headers };
  }

  /**
   * @param path Starts with a slash; it is appended to the path of the address.
   * @throws {@link SourceError} `UNREACHABLE` if there is no response in time; {@link AnswerTooLargeError}; the reason
   * of
   *   `signal`.
   */
  async get(path: string, signal?: AbortSignal): Promise<HttpAnswer> {
    const { attempts = 1 } = this.#settings;
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt >= attempts;
      try {
        const answer = await this.#attempt(path, signal);
        if (isLast || !TEMPORARY_STATUSES.has(answer.status)) return answer;
      } catch (error) {
        if (!(error instanceof NetworkFailure)) throw error;
        if (isLast) throw this.unreachable(reasonOfFailure(error.cause), error.cause);
      }
      await wait(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, { ...(signal && { signal }) });
    }
  }

  /** The error to throw after the last attempt failed for `reason`. */
  unreachable(reason: string, cause?: unknown): SourceError {
    const { attempts = 1, expected = 'Jaeger or `convotel serve`' } = this.#settings;
    const tried = attempts === 1 ? '' : ` (tried ${attempts} times)`;
    return new SourceError(
      'UNREACHABLE',
      `Cannot read from ${this.location}: ${reason}${tried}. Start ${expected} there, or give another address to read from.`,
      { cause },
    );
  }

  async #attempt(path: string, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    const { timeoutMs, maxAnswerBytes = Infinity } = this.#settings;
    const deadline = AbortSignal.timeout(timeoutMs);
    const eitherSignal = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    try {
      const response = await request(`${this.#base}${path}`, {
        headers: { ...this.#headers },
        signal: eitherSignal,
        ...(this.#socketPath !== undefined && { socketPath: this.#socketPath }),
      });
      const text = await readBody(response, maxAnswerBytes);
      return { status: response.statusCode ?? 0, headers: response.headers, text };
    } catch (error) {
      if (error instanceof AnswerTooLargeError) throw error;
      signal?.throwIfAborted();
      if (!deadline.aborted) throw new NetworkFailure('no answer', { cause: error });
      throw new SourceError(
        'UNREACHABLE',
        `${this.location} did not answer within ${timeoutMs / 1000} s. Ask for a shorter time range, or check whether it is overloaded.`,
        { cause: error },
      );
    }
  }
}

/** A failure that may be temporary, so that the request is retried; the reason is its cause. */
class NetworkFailure extends Error {}

/** Why a request failed, such as `connect ECONNREFUSED 127.0.0.1:4318`; one reason for each address that was tried. */
function reasonOfFailure(error: unknown): string {
  const { message, cause, errors } = error as Partial<AggregateError>;
  if (cause !== undefined) return reasonOfFailure(cause);
  return errors === undefined ? String(message) : errors.map(reasonOfFailure).join(', ');
}

function parseAddress(address: string): URL {
  if (URL.canParse(address)) return new URL(address);
  // The platform's error is not the cause, because it contains the whole address with its credentials.
  throw new SourceError('UNREACHABLE', `"${shownAddress(address)}" is not an address such as http://127.0.0.1:4318.`);
}

function request(url: string, options: RequestOptions): Promise<IncomingMessage> {
  const get = url.startsWith('https:') ? getSecure : getPlain;
  return new Promise((resolve, reject) => {
    get(url, options, resolve).once('error', reject);
  });
}

/** The text of a response. By its events, since an iterator over them takes a short command longer than their content. */
function readBody(body: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let byteCount = 0;
    body.on('data', (chunk: Buffer) => {
      byteCount += chunk.length;
      chunks.push(chunk);
      if (byteCount > maxBytes) body.destroy(new AnswerTooLargeError(`more than ${sizeWords(maxBytes)}`));
    });
    body.once('end', () => resolve(Buffer.concat(chunks, byteCount).toString('utf8')));
    body.once('error', reject);
    // Without an end or an error, the connection was lost in between.
    body.once('close', () => reject(new Error('the connection was closed before the end of the answer')));
  });
}

function sizeWords(bytes: number): string {
  return bytes < 1_048_576 ? `${bytes} bytes` : `${Math.round(bytes / 1_048_576)} MiB`;
}
