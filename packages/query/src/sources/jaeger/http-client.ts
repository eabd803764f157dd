import { setTimeout as wait } from 'node:timers/promises';
import { quoteAnswer, reasonOfFailure } from '../foreign-answer.ts';
import { httpGet, readHttpBody, type HttpResponse } from '../http-get.ts';
import { SourceError } from '../source-error.ts';
import { AnswerTooLarge } from './jaeger-refusal.ts';

/** How an {@link HttpClient} asks. */
export interface HttpSettings {
  /** For one request, in milliseconds. */
  timeoutMs: number;
  attempts: number;
  /** A longer answer is not taken. */
  maxAnswerBytes: number;
  headers: Readonly<Record<string, string>>;
}

/** An answer that is no refusal of a proxy or a login. */
export interface HttpAnswer {
  status: number;
  /** What `JSON.parse` made of it. */
  json: unknown;
}

/** Answers of a server or proxy that is busy, restarting or limiting. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const FIRST_PAUSE_MS = 100;

const WHERE_IT_IS =
  "Give the address of Jaeger's query service (Jaeger 2, usually port 16686), or of a `convotel serve`,";

/** Asks one address for JSON, again where that may help, and says clearly why there is none. */
export class HttpClient {
  /** The address without credentials. */
  readonly location: string;
  readonly #base: string;
  readonly #settings: HttpSettings;

  /** @param address Such as `http://127.0.0.1:16686`, with a path where a proxy has one, with credentials if need be. */
  constructor(address: string, settings: HttpSettings) {
    const url = new URL(address);
    const { username, password } = url;
    url.username = url.password = url.search = url.hash = '';
    this.#base = url.href.replace(/\/+$/, '');
    this.location = username === '' ? address : this.#base;
    // Credentials go into a header, so that no message or log can show them.
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
    const authorization = username === '' ? {} : { authorization: `Basic ${credentials.toString('base64')}` };
    // Over loopback and local networks compressing takes longer than sending.
    const headers = { accept: 'application/json', 'accept-encoding': 'identity', ...authorization };
    this.#settings = { ...settings, headers: { ...headers, ...settings.headers } };
  }

  /**
   * @param path Begins with a slash; the address's own path goes before it.
   * @throws {@link SourceError} `UNREACHABLE`, `WRONG_ANSWER`; {@link AnswerTooLarge}; the reason of `signal`.
   */
  async getJson(path: string, signal?: AbortSignal): Promise<HttpAnswer> {
    const { attempts } = this.#settings;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(path, signal);
      if (!(outcome instanceof PassingTrouble)) return outcome;
      if (attempt >= attempts) throw this.#gaveUp(outcome);
      await wait(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, { ...(signal && { signal }) });
    }
  }

  async #attempt(path: string, signal: AbortSignal | undefined): Promise<HttpAnswer | PassingTrouble> {
    const { timeoutMs, headers, maxAnswerBytes } = this.#settings;
    const deadline = AbortSignal.timeout(timeoutMs);
    const eitherSignal = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    try {
      const response = await httpGet(`${this.#base}${path}`, { headers, signal: eitherSignal });
      const text = await readHttpBody(
        response,
        maxAnswerBytes,
        () => new AnswerTooLarge(`more than ${maxAnswerBytes} bytes`),
      );
      if (PASSING_STATUSES.has(response.status)) {
        return new PassingTrouble(`it answers with status ${response.status}: ${quoteAnswer(text)}`);
      }
      return { status: response.status, json: this.#parse(response, text) };
    } catch (error) {
      if (error instanceof SourceError || error instanceof AnswerTooLarge) throw error;
      signal?.throwIfAborted();
      if (deadline.aborted) throw this.#tooSlow(error);
      return new PassingTrouble(reasonOfFailure(error), error);
    }
  }

  #parse({ status, headers }: HttpResponse, text: string): unknown {
    if (status >= 300 && status < 400) {
      const target = quoteAnswer(headers.location ?? 'somewhere else');
      throw this.#wrongAnswer(
        `sends on to ${target} (status ${status}), so a login or a proxy stands before it. ${WHERE_IT_IS} itself`,
      );
    }
    if (status === 401 || status === 403) {
      throw this.#wrongAnswer(
        `refuses (status ${status}): ${quoteAnswer(text)}. If it wants to know who asks, put name and password into the address, as in http://name:password@host, or ask Jaeger behind the login`,
      );
    }
    // Jaeger sends its JSON as text/plain too, and its web page for any path that it does not know.
    if ((headers['content-type'] ?? '').startsWith('text/html') || /^\s*</.test(text)) {
      throw this.#wrongAnswer(
        `answers with a web page where Jaeger's query API /api/v3 should be: it is another server, a login, or a Jaeger older than 2. ${WHERE_IT_IS} instead`,
      );
    }
    try {
      return JSON.parse(text);
    } catch (error) {
      if (status !== 200)
        throw this.#wrongAnswer(`answers with status ${status}: ${quoteAnswer(text)}. ${WHERE_IT_IS} instead`, error);
      throw this.#wrongAnswer(
        `sent JSON that is cut off or damaged (${(error as Error).message}). Try again; if it stays so, ask without the proxy in between, or for a shorter time`,
        error,
      );
    }
  }

  #gaveUp({ reason, cause }: PassingTrouble): SourceError {
    const { attempts } = this.#settings;
    const tried = attempts === 1 ? '' : ` (tried ${attempts} times)`;
    return new SourceError(
      'UNREACHABLE',
      `Cannot read from ${this.location}: ${reason}${tried}. Start Jaeger or \`convotel serve\` there, or name another place to read from.`,
      { cause },
    );
  }

  #tooSlow(cause: unknown): SourceError {
    return new SourceError(
      'UNREACHABLE',
      `${this.location} has not answered within ${this.#settings.timeoutMs / 1000} s. Ask for a shorter time, or see whether it is overloaded.`,
      { cause },
    );
  }

  #wrongAnswer(what: string, cause?: unknown): SourceError {
    return new SourceError('WRONG_ANSWER', `${this.location} ${what}.`, { cause });
  }
}

/** What may be over when the request is made again. */
class PassingTrouble {
  readonly reason: string;
  readonly cause: unknown;

  constructor(reason: string, cause?: unknown) {
    this.reason = reason;
    this.cause = cause;
  }
}
