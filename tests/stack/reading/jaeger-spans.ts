/** One span as Jaeger's API hands it over, as far as tests look at it. */
export interface JaegerSpan {
  traceId: string;
  spanId: string;
  name: string;
  attributes: Map<string, string>;
}

interface Answer {
  result: { resourceSpans?: ResourceSpans[] };
}
interface ResourceSpans {
  scopeSpans?: { spans?: RawSpan[] }[];
}
interface RawSpan {
  traceId: string;
  spanId: string;
  name: string;
  attributes?: { key: string; value: Record<string, unknown> }[];
}

/**
 * All spans of the traces that a plain search of Jaeger's API finds, without anything of convotel's own reader.
 * A span that was delivered twice is there twice.
 */
export async function readJaegerSpans(
  jaegerUrl: string,
  { service, sinceUnixMs, untilUnixMs, depth = 10_000 }: JaegerSearch,
): Promise<JaegerSpan[]> {
  const parameters = new URLSearchParams({
    'query.service_name': service,
    'query.start_time_min': new Date(sinceUnixMs).toISOString(),
    'query.start_time_max': new Date(untilUnixMs).toISOString(),
    'query.num_traces': String(depth),
  });
  return spansOf(await fetch(`${jaegerUrl}/api/v3/traces?${parameters.toString()}`));
}

/** What to search for. */
export interface JaegerSearch {
  service: string;
  sinceUnixMs: number;
  untilUnixMs: number;
  /** Most traces. @defaultValue `10_000` */
  depth?: number;
}

/** The spans of one trace; empty where Jaeger does not know it. */
export async function readJaegerTrace(jaegerUrl: string, traceId: string): Promise<JaegerSpan[]> {
  return spansOf(await fetch(`${jaegerUrl}/api/v3/traces/${traceId}`));
}

async function spansOf(response: Response): Promise<JaegerSpan[]> {
  if (response.status === 404) return [];
  if (!response.ok) throw new Error(`Jaeger answered ${response.status}: ${await response.text()}`);
  const { result } = (await response.json()) as Answer;
  const raw = (result.resourceSpans ?? []).flatMap(({ scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) => spans),
  );
  return raw.map(({ traceId, spanId, name, attributes = [] }) => ({
    traceId,
    spanId,
    name,
    attributes: new Map(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])])),
  }));
}
