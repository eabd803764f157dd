import { QueryError, quoteAnswer, shownAddress, SourceError } from '../../errors.ts';
import { HttpClient, TEMPORARY_STATUSES } from '../../http/http-client.ts';
import type { HttpAnswer, HttpSettings } from '../../http/http-client.ts';
import type { Window } from '../../model/conversation.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { isJsonObject, OtlpFormatError } from '../../otlp/json-fields.ts';
import type { SpanDetail } from '../../otlp/read-span.ts';
import { formatInstant } from '../../time/instant.ts';
import { readTraces } from './read-traces.ts';

const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 24 * MS_PER_HOUR;

/** Options that are whole numbers above 0. */
const COUNTS = [
  'timeoutMs',
  'attempts',
  'concurrency',
  'searchDepth',
  'maxSearchDepth',
  'maxAnswerBytes',
  'maxSpans',
] as const;

/** How a `JaegerSource` asks. */
export interface JaegerSourceOptions {
  /** How long one request may take, in milliseconds. @defaultValue `30_000` */
  timeoutMs?: number;
  /** How often a request is made before it is given up for a network error or a busy server. @defaultValue `3` */
  attempts?: number;
  /** Requests under way at once. @defaultValue `4` */
  concurrency?: number;
  /** Traces that one search asks for; an answer with as many is taken for cut. @defaultValue `2000` */
  searchDepth?: number;
  /** Traces that a search asks for at most where a millisecond has more than `searchDepth`. @defaultValue `50_000` */
  maxSearchDepth?: number;
  /** Longest answer taken, in bytes; where one is longer, its stretch of time is asked for in parts. @defaultValue `134_217_728` */
  maxAnswerBytes?: number;
  /** Spans kept for one question; beyond, the oldest stretches are left unread. @defaultValue `2_000_000` */
  maxSpans?: number;
  /**
   * How far back to look where a question has no window, in milliseconds, one after the other until there is enough;
   * `Infinity` is everything since 1970. @defaultValue 1 hour, 1 day, 7 days, 30 days
   */
  lookBackMs?: readonly number[];
  /** A conversation without a root that was at work this short a time ago is warned of. @defaultValue `10_000` */
  settleMs?: number;
  /**
   * Whether one conversation's other traces are looked for, by reading everything within `lookBackMs`, when the trace
   * with the derived id is there. @defaultValue `false`
   */
  findsOtherTraces?: boolean;
  /** Sent with every request, such as `authorization`. @defaultValue none */
  headers?: Readonly<Record<string, string>>;
  /** Names of its services, where they have been asked for just now; the first search uses them. @defaultValue none */
  knownServices?: readonly string[] | undefined;
  /** Tells the time. @defaultValue the system's clock */
  clock?: () => Date;
}

/** {@link JaegerSourceOptions} with every default filled in. */
export type JaegerSettings = { [Name in keyof JaegerSourceOptions]-?: JaegerSourceOptions[Name] };

/**
 * Fills in the defaults.
 * @throws {@link QueryError} `OPTION_OUT_OF_RANGE`
 */
export function resolveJaegerOptions(options: JaegerSourceOptions): JaegerSettings {
  const settings: JaegerSettings = {
    timeoutMs: 30_000,
    attempts: 3,
    concurrency: 4,
    searchDepth: 2000,
    maxSearchDepth: 50_000,
    // A string holds 512 MiB at most, and parsed JSON takes several times its length.
    maxAnswerBytes: 134_217_728,
    maxSpans: 2_000_000,
    lookBackMs: [MS_PER_HOUR, MS_PER_DAY, 7 * MS_PER_DAY, 30 * MS_PER_DAY],
    settleMs: 10_000,
    findsOtherTraces: false,
    headers: {},
    knownServices: undefined,
    clock: () => new Date(),
    ...options,
  };
  for (const name of COUNTS) {
    if (Number.isSafeInteger(settings[name]) && settings[name] > 0) continue;
    throw outOfRange(`${name} must be a whole number above 0, got ${settings[name]}`);
  }
  if (!(settings.settleMs >= 0)) throw outOfRange(`settleMs must be a number of at least 0, got ${settings.settleMs}`);
  const { lookBackMs } = settings;
  const isAscending = lookBackMs.every((value, index) => value > (lookBackMs[index - 1] ?? 0));
  if (lookBackMs.length === 0 || !isAscending) {
    throw outOfRange(`lookBackMs must be numbers above 0, the shortest first, got ${lookBackMs.join(', ')}`);
  }
  return settings;
}

function outOfRange(message: string): QueryError {
  return new QueryError('OPTION_OUT_OF_RANGE', message);
}

/** What a search asks for: traces with a span of the service that starts in the window. */
export interface TraceSearch {
  window: Window;
  /** All services when absent, which not every storage of Jaeger takes. */
  service?: string | undefined;
  /** The most traces to answer with; which ones, where there are more, is up to the storage. */
  depth: number;
}

/** Jaeger understood the request and did not answer it: an error message in its own JSON. */
export class JaegerRefusalError extends Error {
  override readonly name = 'JaegerRefusalError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  /**
   * Whether it is about how many traces were asked for. The memory storage says "search depth must be greater than 0
   * and less than max traces", Elasticsearch names its result window or its buckets.
   */
  get isAboutDepth(): boolean {
    return /depth|max.?traces|num.?traces|result window|buckets/i.test(this.message);
  }
}

/**
 * Jaeger's HTTP query API, version 3. Up to Jaeger 2.18 parameters are written with underscores, from 2.19 also in camel
 * case, so both forms are sent; a version ignores what it does not know. Raw traces are as they were stored; others
 * had their clocks corrected and equal spans dropped by Jaeger.
 */
export class JaegerClient {
  readonly #http: HttpClient;

  constructor(address: string, settings: HttpSettings) {
    this.#http = new HttpClient(address, settings);
  }

  /** The address without credentials. */
  get location(): string {
    return this.#http.location;
  }

  /** Names of all services that have sent spans. */
  async services(signal?: AbortSignal): Promise<string[]> {
    const body = await this.#get('/api/v3/services', signal);
    const services = body === undefined ? undefined : readServices(body);
    if (services === undefined) throw this.#wrongAnswer('no list of services');
    return services;
  }

  /** The spans of one trace; none where there is no such trace. */
  async trace(traceId: string): Promise<SpanRecord[]> {
    const body = await this.#get(`/api/v3/traces/${traceId}?raw_traces=true&rawTraces=true`);
    return this.#read(body, 'whole');
  }

  /** All spans, slim, of the traces found; those of `depth` traces when there may be more. @throws {@link JaegerRefusalError} */
  async search({ window, service, depth }: TraceSearch, signal?: AbortSignal): Promise<SpanRecord[]> {
    const since = formatInstant(window.sinceUnixNano, 9);
    // Jaeger counts both bounds in.
    const until = formatInstant(window.untilUnixNano - 1n, 9);
    const parameters = new URLSearchParams({
      'query.start_time_min': since,
      'query.startTimeMin': since,
      'query.start_time_max': until,
      'query.startTimeMax': until,
      'query.num_traces': String(depth),
      'query.search_depth': String(depth),
      'query.searchDepth': String(depth),
      'query.raw_traces': 'true',
      'query.rawTraces': 'true',
      ...(service !== undefined && { 'query.service_name': service, 'query.serviceName': service }),
    });
    return this.#read(await this.#get(`/api/v3/traces?${parameters.toString()}`, signal), 'slim');
  }

  /** The body; undefined where Jaeger found nothing. */
  async #get(path: string, signal?: AbortSignal): Promise<unknown> {
    const { status, json } = await getJson(this.#http, path, signal);
    const refusal = refusalIn(json);
    if (status === 200 && refusal === undefined) return json;
    if (refusal === undefined) throw this.#wrongAnswer(`status ${status} without a reason that Jaeger gives`);
    if (status === 404) return undefined;
    throw new JaegerRefusalError(status, refusal);
  }

  #read(body: unknown, detail: SpanDetail): SpanRecord[] {
    if (body !== undefined && !isJsonObject(body)) throw this.#wrongAnswer('no traces');
    try {
      return readTraces(body?.['result'], detail);
    } catch (error) {
      if (!(error instanceof OtlpFormatError)) throw error;
      throw this.#wrongAnswer(`spans that cannot be read: ${error.message}`, error);
    }
  }

  #wrongAnswer(what: string, cause?: unknown): SourceError {
    return new SourceError(
      'WRONG_ANSWER',
      `${this.location} sent ${what}. Is it the query service of a Jaeger 2? It usually has port 16686.`,
      { cause },
    );
  }
}

/** The names in Jaeger's list of services, which is left out before the first span; undefined for any other JSON. */
export function readServices(json: unknown): string[] | undefined {
  if (!isJsonObject(json)) return undefined;
  const { services } = json;
  if (services === undefined) return Object.keys(json).length === 0 ? [] : undefined;
  return Array.isArray(services) && services.every((service) => typeof service === 'string') ? services : undefined;
}

/** The message of `{"error": {"httpCode": 500, "message": "…"}}`, as Jaeger's gateway reports errors. */
function refusalIn(json: unknown): string | undefined {
  const error = isJsonObject(json) ? json['error'] : undefined;
  return isJsonObject(error) && typeof error['message'] === 'string' ? error['message'] : undefined;
}

const WHERE_TO_ASK =
  "Give the address of Jaeger's query service (Jaeger 2, usually port 16686), or of a `convotel serve`,";

/**
 * Asks for JSON at an address where a Jaeger may be, and says clearly why there is none.
 * @throws {@link SourceError} `UNREACHABLE`, `WRONG_ANSWER`; what {@link HttpClient.get} throws
 */
export async function getJson(
  client: HttpClient,
  path: string,
  signal?: AbortSignal,
): Promise<{ status: number; json: unknown }> {
  const answer = await client.get(path, signal);
  return { status: answer.status, json: parseAnswer(client, answer) };
}

function parseAnswer(client: HttpClient, { status, headers, text }: HttpAnswer): unknown {
  const refuse = (what: string, cause?: unknown): SourceError =>
    new SourceError('WRONG_ANSWER', `${client.location} ${what}.`, { cause });
  if (TEMPORARY_STATUSES.has(status)) {
    throw client.unreachable(`it answers with status ${status}: ${quoteAnswer(text)}`);
  }
  if (status >= 300 && status < 400) {
    // What a login is told in the query may be a secret.
    const target = quoteAnswer(shownAddress(headers.location ?? 'somewhere else'));
    throw refuse(
      `redirects to ${target} (status ${status}), so a login or a proxy stands before it. ${WHERE_TO_ASK} itself`,
    );
  }
  if (status === 401 || status === 403) {
    throw refuse(
      `refuses (status ${status}): ${quoteAnswer(text)}. If it asks for credentials, put name and password into the address, as in http://name:password@host, or ask Jaeger behind the login`,
    );
  }
  // Jaeger sends its JSON as text/plain too, and its web page for any path that it does not know.
  if ((headers['content-type'] ?? '').startsWith('text/html') || /^\s*</.test(text)) {
    throw refuse(
      `answers with a web page where Jaeger's query API /api/v3 should be: it is another server, a login, or a Jaeger older than 2. ${WHERE_TO_ASK} instead`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    if (status !== 200) {
      throw refuse(`answers with status ${status}: ${quoteAnswer(text)}. ${WHERE_TO_ASK} instead`, error);
    }
    throw refuse(
      `sent JSON that is cut off or damaged (${(error as Error).message}). Try again; if that does not help, ask without the proxy in between, or for a shorter time`,
      error,
    );
  }
}
