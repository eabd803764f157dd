import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';

/** What a server answered. */
export interface Received {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** What to send; the rest is as a stock exporter sends JSON. */
export interface Sending {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
}

/** Sends one request on a connection of its own, also with headers that `fetch` forbids. */
export function send(url: string, { method = 'POST', headers = {}, body = '' }: Sending = {}): Promise<Received> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method, agent: false, headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** An OTLP/JSON attribute that holds a text. */
export function text(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}

/** A step span in OTLP/JSON with ids of its own, young enough for any retention; `fields` override. */
export function jsonStep(step: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  const start = BigInt(Date.now()) * 1_000_000n;
  return {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: step,
    kind: 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 1_500_000_000n),
    attributes: [text('conversation.step.name', step), text('conversation.id', `talk about ${step}`)],
    ...fields,
  };
}

/** An `ExportTraceServiceRequest` in OTLP/JSON. */
export function jsonRequest(...spans: object[]): string {
  return JSON.stringify({
    resourceSpans: [
      { resource: { attributes: [text('service.name', 'test')] }, scopeSpans: [{ scope: { name: 'test' }, spans }] },
    ],
  });
}

/** A condition that has not come true by then never will. */
const CONDITION_DEADLINE_MS = 120_000;

/** Waits until `isTrue`. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + CONDITION_DEADLINE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`never came true: ${isTrue.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
