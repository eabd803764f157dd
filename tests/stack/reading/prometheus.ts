/** One series of an instant query. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** Asks a running Prometheus for the value of `expression` now. */
export async function queryPrometheus(prometheusUrl: string, expression: string): Promise<Sample[]> {
  const data = await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
    `${prometheusUrl}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`,
  );
  return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}

/** Every point of every series of `expression` over the last seconds, oldest first within a series. */
export async function queryPrometheusRange(
  prometheusUrl: string,
  expression: string,
  { lastSeconds, stepSeconds }: { lastSeconds: number; stepSeconds: number },
): Promise<Sample[]> {
  const end = Date.now() / 1000;
  const range = { query: expression, start: String(end - lastSeconds), end: String(end), step: String(stepSeconds) };
  const data = await ask<{ result: { metric: Record<string, string>; values: [number, string][] }[] }>(
    `${prometheusUrl}/api/v1/query_range?${new URLSearchParams(range)}`,
  );
  return data.result.flatMap(({ metric, values }) =>
    values.map(([, value]) => ({ labels: metric, value: Number(value) })),
  );
}

/** The value of an expression that has at most one series; `undefined` when it has none. */
export async function queryNumber(prometheusUrl: string, expression: string): Promise<number | undefined> {
  const samples = await queryPrometheus(prometheusUrl, expression);
  if (samples.length > 1) throw new Error(`${expression} has ${samples.length} series where one was expected.`);
  return samples[0]?.value;
}

/** Labels of the exemplars of the last hour, of all series of `expression`. */
export async function queryExemplars(prometheusUrl: string, expression: string): Promise<Record<string, string>[]> {
  const nowS = Date.now() / 1000;
  const range = { query: expression, start: String(nowS - 3600), end: String(nowS + 60) };
  const data = await ask<{ exemplars: { labels: Record<string, string> }[] }[]>(
    `${prometheusUrl}/api/v1/query_exemplars?${new URLSearchParams(range).toString()}`,
  );
  return data.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels));
}

async function ask<Data>(url: string): Promise<Data> {
  const response = await fetch(url);
  const answer = (await response.json()) as { status: string; data: Data; error?: string };
  if (answer.status !== 'success') throw new Error(`Prometheus answered ${response.status}: ${answer.error}`);
  return answer.data;
}
