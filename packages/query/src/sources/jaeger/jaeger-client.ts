import { QueryError, quoteAnswer, quoteStatus, shownAddress, SourceError } from '../../errors.ts';
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

/** Options that must be integers above 0. */
const COUNTS = [
  'timeoutMs',
  'attempts',
  'concurrency',
  'searchDepth',
  'maxSearchDepth',
  'maxAnswerBytes',
  'maxSpans',
] as const;

/** Options of `JaegerSource`. */
export interface JaegerSourceOptions {
  /** Timeout of one request, in milliseconds. @defaultValue `30_000` */
  timeoutMs?: number;
  /** Maximum number of attempts after network errors, or if the server is busy. @defaultValue `3` */
  attempts?: number;
  /** Maximum number of concurrent requests. @defaultValue `4` */
  concurrency?: number;
  /**
   * Maximum number of traces that one search requests; a response with as many counts as truncated.
   * @defaultValue `2000`
   */
  searchDepth?: number;
  /**
   * Limit up to which a search requests more, if one millisecond has more than `searchDepth` traces.
   * @defaultValue `50_000`
   */
  maxSearchDepth?: number;
  /**
   * Maximum size of a response, in bytes; if one is larger, its time range is requested in parts.
   * @defaultValue `134_217_728`
   */
  maxAnswerBytes?: number;
  /**
   * Maximum number of spans read for one question; beyond it, the oldest time ranges are not read.
   * @defaultValue `2_000_000`
   */
  maxSpans?: number;
  /**
   * How far back to look if a question has no window, in milliseconds: one after another, ascending, until there are
   * enough results. `Infinity` is everything since 1970.
   * @defaultValue 1 hour, 1 day, 7 days, 30 days
   */
  lookBackMs?: readonly number[];
  /**
   * Warns of conversations without a root that had a step within this time before now, in milliseconds.
   * @defaultValue `10_000`
   */
  settleMs?: number;
  /**
   * Whether to look for other traces of a conversation, by reading everything within `lookBackMs`, even if the trace
   * with the derived id exists.
   * @defaultValue `false`
   */
  findsOtherTraces?: boolean;
  /** Headers of every request, such as `authorization`. @defaultValue none */
  headers?: Readonly<Record<string, string>>;
  /** Names of Jaeger's services, if they were just requested; the first search uses them. @defaultValue none */
  knownServices?: readonly string[] | undefined;
  /** Returns the current time. @defaultValue the system's clock */
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
    // A string can have 512 MiB at most, and parsed JSON takes several times the length of its text.
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

/** A search for traces with a span of the service that starts in the window. */
export interface TraceSearch {
  window: Window;
  /** @defaultValue all services, which not every storage of Jaeger supports */
  service?: string | undefined;
  /** Maximum number of traces to return; if there are more, the storage decides which. */
  depth: number;
}

/** Jaeger responded with an error message in its own JSON format. */
export class JaegerRefusalError extends Error {
  override readonly name = 'JaegerRefusalError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  /**
   * Whether Jaeger rejected the number of traces requested. The memory storage says "search depth must be greater than
   * 0 and less than max traces", Elasticsearch mentions its result window or its buckets.
   */
  get isAboutDepth(): boolean {
    return /depth|max.?traces|num.?traces|result window|buckets/i.test(this.message);
  }
}

/**
 * Client of Jaeger's HTTP query API, version 3. Up to Jaeger 2.18 parameters have underscores, from 2.19 on also camel
 * case, so both forms are sent; Jaeger ignores unknown ones. It requests raw traces, because in others Jaeger adjusts
 * clock skew and drops equal spans.
 */
export class JaegerClient {
  readonly #http: HttpClient;

  constructor(address: string, settings: HttpSettings) {
    this.#http = new HttpClient(address, settings);
  }

  /** The address, without credentials. */
  get location(): string {
    return this.#http.location;
  }

  /** Names of all services that have sent spans. */
  async services(signal?: AbortSignal): Promise<string[]> {
    const body = await this.#get('/api/v3/services', signal);
    const services = body === undefined ? undefined : readServices(body);
    if (services === undefined) throw this.#wrongAnswer('JSON without a list of services');
    return services;
  }

  /** The spans of one trace; empty if there is no such trace. */
  async trace(traceId: string): Promise<SpanRecord[]> {
    const body = await this.#get(`/api/v3/traces/${traceId}?raw_traces=true&rawTraces=true`);
    return this.#read(body, 'whole');
  }

  /**
   * The slim spans of the traces found. There may be more traces if it returns `depth` of them. @throws
   * {@link JaegerRefusalError}
   */
  async search({ window, service, depth }: TraceSearch, signal?: AbortSignal): Promise<SpanRecord[]> {
    const since = formatInstant(window.sinceUnixNano, 9);
    // In Jaeger both bounds are inclusive.
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

  /** The body; undefined if Jaeger found nothing. */
  async #get(path: string, signal?: AbortSignal): Promise<unknown> {
    const { status, json } = await getJson(this.#http, path, signal);
    const refusal = refusalIn(json);
    if (status === 200 && refusal === undefined) return json;
    if (refusal === undefined) throw this.#wrongAnswer(`status ${status} without an error message of Jaeger`);
    if (status === 404) return undefined;
    throw new JaegerRefusalError(status, refusal);
  }

  #read(body: unknown, detail: SpanDetail): SpanRecord[] {
    if (body !== undefined && !isJsonObject(body)) throw this.#wrongAnswer('JSON that is not an object');
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

/** The names in Jaeger's list of services, which is absent before the first span; undefined for any other JSON. */
export function readServices(json: unknown): string[] | undefined {
  if (!isJsonObject(json)) return undefined;
  const { services } = json;
  if (services === undefined) return Object.keys(json).length === 0 ? [] : undefined;
  return Array.isArray(services) && services.every((service) => typeof service === 'string') ? services : undefined;
}

/** The message in `{"error": {"httpCode": 500, "message": "…"}}`, the error format of Jaeger's gateway. */
function refusalIn(json: unknown): string | undefined {
  const error = isJsonObject(json) ? json['error'] : undefined;
  return isJsonObject(error) && typeof error['message'] === 'string' ? error['message'] : undefined;
}

const WHERE_TO_ASK =
  "Give the address of Jaeger's query service (Jaeger 2, usually port 16686), or of a `convotel serve`,";

/**
 * Gets JSON from an address that may be a Jaeger. If the response is something else, the error explains what.
 * @throws {@link SourceError} `UNREACHABLE`, `WRONG_ANSWER`; errors of {@link HttpClient.get}
 */
export async function getJson(
  client: HttpClient,
  path: string,
  signal?: AbortSignal,
): Promise<{ status: number; json: unknown }> {
  const answer = await client.get(path, signal);
  return { status: answer.status, json: parseAnswer(client, answer) };
}

/** The code of a `google.rpc.Status` for a sender who is known, or whom no credentials would help. */
const PERMISSION_DENIED = 7;

function parseAnswer(client: HttpClient, { status, headers, text }: HttpAnswer): unknown {
  const refuse = (what: string, cause?: unknown): SourceError =>
    new SourceError('WRONG_ANSWER', `${client.location} ${what}.`, { cause });
  if (TEMPORARY_STATUSES.has(status)) {
    throw client.unreachable(`it answers with status ${status}: ${quoteAnswer(text)}`);
  }
  if (status >= 300 && status < 400) {
    // The query of a login page may contain secrets, so it is not shown.
    const target = quoteAnswer(shownAddress(headers.location ?? 'somewhere else'));
    throw refuse(
      `redirects to ${target} (status ${status}), so there is a login or a proxy in front of it. ${WHERE_TO_ASK} itself`,
    );
  }
  const refusal = status === 403 ? quoteStatus(text) : undefined;
  // This is how a `convotel serve` refuses; credentials would not help.
  if (refusal?.code === PERMISSION_DENIED) throw refuse(`refuses (status 403): ${refusal.quoted}`);
  if (status === 401 || status === 403) {
    throw refuse(
      `refuses (status ${status}): ${quoteAnswer(text)}. If it asks for credentials, put name and password into the address, as in http://name:password@host, or connect to Jaeger behind the login`,
    );
  }
  // Jaeger also sends JSON as text/plain, and its web page for any unknown path.
  if ((headers['content-type'] ?? '').startsWith('text/html') || /^\s*</.test(text)) {
    throw refuse(
      `answers with a web page where Jaeger's query API /api/v3 should be: it is another server, a login, or Jaeger 1. ${WHERE_TO_ASK} instead`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    if (status !== 200) {
      throw refuse(`answers with status ${status}: ${quoteAnswer(text)}. ${WHERE_TO_ASK} instead`, error);
    }
    throw refuse(
      `sent JSON that is cut off or damaged (${(error as Error).message}). Try again; if that does not help, connect without a proxy, or ask for a shorter time range`,
      error,
    );
  }
}
