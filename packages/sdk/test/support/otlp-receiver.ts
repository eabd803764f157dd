import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** The parts of OTLP/JSON that tests look at (opentelemetry-proto, trace and metrics). */
export interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes: OtlpAttribute[];
  status: { code?: number; message?: string };
  events: { name: string; attributes: OtlpAttribute[] }[];
}

export interface OtlpAttribute {
  key: string;
  value: { stringValue?: string; intValue?: number; doubleValue?: number; boolValue?: boolean };
}

export interface OtlpDataPoint {
  attributes: OtlpAttribute[];
  asDouble?: number;
  asInt?: number;
  count?: number;
  sum?: number;
  explicitBounds?: number[];
}

export interface OtlpMetric {
  name: string;
  unit: string;
  sum?: { dataPoints: OtlpDataPoint[] };
  histogram?: { dataPoints: OtlpDataPoint[] };
}

interface Scoped<Key extends string, Item> {
  resource: { attributes: OtlpAttribute[] };
  scope: Record<Key, Item[]>[];
}

/** A real HTTP server that takes OTLP/JSON and remembers it. */
export interface OtlpReceiver {
  endpoint: string;
  requests: { path: string; headers: IncomingMessage['headers'] }[];
  spans(): OtlpSpan[];
  /** Attributes of the newest resource that came with spans. */
  resource(): Record<string, unknown>;
  /** Data points of the newest metrics, by metric name. */
  metrics(): Map<string, OtlpMetric>;
  /** How requests are answered from now on. */
  answerBy(answer: (response: ServerResponse, path: string, body: Buffer) => void): void;
  stop(): Promise<void>;
}

const accept = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
};

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const requests: OtlpReceiver['requests'] = [];
  const traces: Scoped<'spans', OtlpSpan>[] = [];
  let metrics = new Map<string, OtlpMetric>();
  let answer: (response: ServerResponse, path: string, body: Buffer) => void = accept;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      requests.push({ path, headers: request.headers });
      const bytes = Buffer.concat(chunks);
      if (answer === accept && request.headers['content-type'] === 'application/json') {
        const isCompressed = request.headers['content-encoding'] === 'gzip';
        const body = JSON.parse((isCompressed ? gunzipSync(bytes) : bytes).toString()) as never;
        if (path.includes('/v1/traces')) traces.push(...readTraces(body));
        if (path.includes('/v1/metrics')) metrics = readMetrics(body);
      }
      answer(response, path, bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    spans: () => traces.flatMap(({ scope }) => scope.flatMap(({ spans }) => spans)),
    resource: () => attributesOf(traces.at(-1)?.resource ?? { attributes: [] }),
    metrics: () => metrics,
    answerBy: (next) => {
      answer = next;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export { accept };

function readTraces(body: {
  resourceSpans: { resource: { attributes: OtlpAttribute[] }; scopeSpans: { spans: OtlpSpan[] }[] }[];
}): Scoped<'spans', OtlpSpan>[] {
  return body.resourceSpans.map(({ resource, scopeSpans }) => ({ resource, scope: scopeSpans }));
}

function readMetrics(body: {
  resourceMetrics: { scopeMetrics: { metrics: OtlpMetric[] }[] }[];
}): Map<string, OtlpMetric> {
  const all = body.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  return new Map(all.map((metric) => [metric.name, metric]));
}

/** Attributes as a plain object. */
export function attributesOf({ attributes }: { attributes: OtlpAttribute[] }): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
