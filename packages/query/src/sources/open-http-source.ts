import { isJsonObject } from '../otlp/json-fields.ts';
import type { ConversationSource } from '../questions.ts';
import { HttpClient } from './jaeger/http-client.ts';
import { JaegerSource } from './jaeger/jaeger-source.ts';
import { ServeSource } from './serve/serve-source.ts';
import { SourceError } from './source-error.ts';

/** Who is asked is near or, behind a proxy, awake. */
const TIMEOUT_MS = 10_000;

/** Of a list of services, or of a few words. */
const MAX_ANSWER_BYTES = 16_777_216;

/**
 * Opens the back end at an `http://` or `https://` address: the query service of a Jaeger 2, or a `convotel serve`.
 * Which it is, it is asked: Jaeger for its services, and who does not have any for its health.
 * @throws `SourceError` `UNREACHABLE` when nobody answers, `WRONG_ANSWER` when it is neither.
 */
export async function openHttpSource(address: string): Promise<ConversationSource> {
  const client = new HttpClient(address, {
    timeoutMs: TIMEOUT_MS,
    attempts: 2,
    maxAnswerBytes: MAX_ANSWER_BYTES,
    headers: {},
  });
  const services = await client.getJson('/api/v3/services');
  if (services.status === 200 && isServiceList(services.json)) return new JaegerSource(address);
  const health = await client.getJson('/healthz');
  if (isJsonObject(health.json) && typeof health.json['instanceId'] === 'string') return new ServeSource(address);
  throw new SourceError(
    'WRONG_ANSWER',
    `${client.location} is neither Jaeger's query service nor a \`convotel serve\`: it answers with status ${services.status}. Check host and port; Jaeger's is usually 16686.`,
  );
}

/** Whether it is what Jaeger says of its services; before the first span it leaves the list out. */
function isServiceList(json: unknown): boolean {
  return isJsonObject(json) && (Array.isArray(json['services']) || Object.keys(json).length === 0);
}
