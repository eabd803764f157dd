import type { SpanRecord } from '../../model/span-record.ts';
import type { Window } from '../../model/window.ts';
import { isJsonObject } from '../../otlp/json-fields.ts';
import type { SpanDetail } from '../../otlp/read-span.ts';
import { OtlpFormatError } from '../../otlp/otlp-format-error.ts';
import { formatInstant } from '../../time/instant.ts';
import { SourceError } from '../source-error.ts';
import { HttpClient } from './http-client.ts';
import type { HttpSettings } from './http-client.ts';
import { JaegerRefusal } from './jaeger-refusal.ts';
import { readTraces } from './read-traces.ts';

/** What a search asks for: traces with a span of the service that starts in the window. */
export interface TraceSearch {
  window: Window;
  /** All services when absent, which not every storage of Jaeger takes. */
  service?: string | undefined;
  /** The most traces to answer with; which ones, where there are more, is up to the storage. */
  depth: number;
}

/**
 * Jaeger's HTTP query API, version 3. Up to Jaeger 2.18 parameters are written with underscores, from 2.19 also in camel
 * case, so both forms are sent; what a version does not know it passes over. Raw traces are as they were stored; others
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
    const services = isJsonObject(body) ? (body['services'] ?? []) : body;
    if (!Array.isArray(services) || services.some((service) => typeof service !== 'string')) {
      throw this.#wrongAnswer('no list of services');
    }
    return services as string[];
  }

  /** The spans of one trace; none where there is no such trace. */
  async trace(traceId: string): Promise<SpanRecord[]> {
    const body = await this.#get(`/api/v3/traces/${traceId}?raw_traces=true&rawTraces=true`);
    return this.#read(body, 'whole');
  }

  /** All spans, slim, of the traces found; those of `depth` traces when there may be more. @throws {@link JaegerRefusal} */
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
    const { status, json } = await this.#http.getJson(path, signal);
    const refusal = refusalIn(json);
    if (status === 200 && refusal === undefined) return json;
    if (refusal === undefined) throw this.#wrongAnswer(`status ${status} without a reason that Jaeger gives`);
    if (status === 404) return undefined;
    throw new JaegerRefusal(status, refusal);
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

/** The message of `{"error": {"httpCode": 500, "message": "…"}}`, as Jaeger's gateway reports errors. */
function refusalIn(json: unknown): string | undefined {
  const error = isJsonObject(json) ? json['error'] : undefined;
  return isJsonObject(error) && typeof error['message'] === 'string' ? error['message'] : undefined;
}
