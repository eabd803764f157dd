import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseInstant } from '@convotel/query';
import type { SpanRecord } from '@convotel/query';
import { encodeOtlpJson } from '@convotel/suite';

/** What the stand-in does differently from a Jaeger with memory storage. */
export interface StandInTraits {
  /** A search that asks for more is refused, as by the memory storage. @defaultValue unlimited */
  maxDepth?: number;
  /** A search without a service is refused, as by Cassandra and, in effect, Badger. @defaultValue `false` */
  needsServiceName?: boolean;
  /** Which traces a search answers with where there are too many. @defaultValue `'newest'`, in order of arrival */
  choice?: 'newest' | 'oldest';
}

/** One request that the stand-in has answered. */
export interface SeenRequest {
  path: string;
  parameters: URLSearchParams;
  headers: IncomingMessage['headers'];
}

/** A `ResourceSpans` for each span. */
interface SentSpans {
  resourceSpans: {
    scopeSpans: [{ spans: [{ startTimeUnixNano: string; endTimeUnixNano: string; attributes: object[] }] }];
  }[];
}

interface StoredTrace {
  spans: readonly SpanRecord[];
  /** The earliest and the latest start. */
  first: bigint;
  last: bigint;
  /** Its spans in OTLP/JSON, a `ResourceSpans` each, separated by commas. */
  json: string;
}

/**
 * A server with the search of Jaeger 2.13: whole traces with a span of the service that starts within the bounds, both
 * counted in, so many of them as asked for, all spans in one list, in no useful order. Snake case parameters only.
 */
export class JaegerStandIn {
  readonly seen: SeenRequest[] = [];
  readonly #traits: StandInTraits;
  /** In the order in which their first spans came, the newest first. */
  readonly #traces: readonly StoredTrace[];
  readonly #server: Server;

  private constructor(spans: readonly SpanRecord[], traits: StandInTraits) {
    this.#traits = traits;
    const traces = new Map<string, SpanRecord[]>();
    for (const span of spans) {
      const trace = traces.get(span.traceId);
      if (trace === undefined) traces.set(span.traceId, [span]);
      else trace.push(span);
    }
    this.#traces = [...traces.values()].reverse().map(store);
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(spans: readonly SpanRecord[], traits: StandInTraits = {}): Promise<JaegerStandIn> {
    const standIn = new JaegerStandIn(spans, traits);
    await new Promise<void>((resolve) => standIn.#server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The searches seen so far. */
  get searches(): SeenRequest[] {
    return this.seen.filter(({ path }) => path === '/api/v3/traces');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    this.seen.push({ path: url.pathname, parameters: url.searchParams, headers: request.headers });
    const traceId = /^\/api\/v3\/traces\/([0-9a-f]+)$/.exec(url.pathname)?.[1];
    if (url.pathname === '/api/v3/services') {
      const services = new Set(this.#traces.flatMap(({ spans }) => spans.map(serviceOf)));
      sendJson(response, 200, { services: [...services] });
    } else if (url.pathname === '/api/v3/traces') {
      this.#search(url.searchParams, response);
    } else if (traceId !== undefined) {
      sendTraces(
        response,
        this.#traces.filter(({ spans }) => spans[0]?.traceId === traceId),
      );
    } else {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<!doctype html><title>Jaeger UI');
    }
  }

  #search(parameters: URLSearchParams, response: ServerResponse): void {
    const { maxDepth = Number.POSITIVE_INFINITY, needsServiceName = false, choice = 'newest' } = this.#traits;
    const service = parameters.get('query.service_name') ?? '';
    const depth = Number(parameters.get('query.num_traces') ?? 100);
    const since = parseInstant(parameters.get('query.start_time_min') ?? '');
    const until = parseInstant(parameters.get('query.start_time_max') ?? '');
    if (needsServiceName && service === '') return sendError(response, 500, 'service name must be set');
    if (depth <= 0 || depth > maxDepth) {
      return sendError(response, 500, 'search depth must be greater than 0 and less than max traces');
    }
    const isFound = (span: SpanRecord): boolean =>
      (service === '' || serviceOf(span) === service) &&
      span.startTimeUnixNano >= since &&
      span.startTimeUnixNano <= until;
    const found = this.#traces.filter(
      ({ first, last, spans }) => first <= until && last >= since && spans.some(isFound),
    );
    if (choice === 'oldest') found.reverse();
    sendTraces(response, found.slice(0, depth));
  }
}

/** Spans without a service name get one before they are stored. */
function serviceOf({ serviceName }: SpanRecord): string {
  return serviceName ?? 'missing-service-name';
}

/** As Jaeger stores spans: with a service name, and none without a duration. */
function store(spans: readonly SpanRecord[]): StoredTrace {
  const starts = spans.map(({ startTimeUnixNano }) => startTimeUnixNano).sort((a, b) => (a < b ? -1 : 1));
  const { resourceSpans } = JSON.parse(
    encodeOtlpJson(spans.map((span) => ({ ...span, serviceName: serviceOf(span) }))),
  ) as SentSpans;
  for (const [span] of resourceSpans.map(({ scopeSpans }) => scopeSpans[0].spans)) {
    if (BigInt(span.startTimeUnixNano) < BigInt(span.endTimeUnixNano)) continue;
    span.endTimeUnixNano = String(BigInt(span.startTimeUnixNano) + 1n);
    span.attributes.push({ key: '@jaeger@warnings', value: { arrayValue: { values: [{ stringValue: 'Negative' }] } } });
  }
  return { spans, first: starts[0]!, last: starts.at(-1)!, json: JSON.stringify(resourceSpans).slice(1, -1) };
}

function sendTraces(response: ServerResponse, traces: readonly StoredTrace[]): void {
  if (traces.length === 0) return sendError(response, 404, 'No traces found');
  sendText(response, 200, `{"result":{"resourceSpans":[${traces.map(({ json }) => json).join()}]}}`);
}

function sendError(response: ServerResponse, status: number, message: string): void {
  sendJson(response, status, { error: { httpCode: status, message } });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  sendText(response, status, JSON.stringify(body));
}

/** Jaeger does not say that it is JSON. */
function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}
