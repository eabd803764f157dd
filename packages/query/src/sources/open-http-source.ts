import { HttpClient } from '../http/http-client.ts';
import { isJsonObject } from '../otlp/json-fields.ts';
import type { ConversationSource } from '../questions.ts';
import { SourceError } from '../source-error.ts';
import { getJson, readServices } from './jaeger/jaeger-client.ts';
import { JaegerSource } from './jaeger/jaeger-source.ts';
import { ServeSource } from './serve/serve-source.ts';
import type { ServeSourceOptions } from './serve/serve-source.ts';

/** Ten seconds: the server is local, or already warm behind a proxy. */
const TIMEOUT_MS = 10_000;

/** Of a list of services, or of a few words. */
const MAX_ANSWER_BYTES = 16_777_216;

/**
 * Opens the back end at an `http://` or `https://` address: the query service of a Jaeger 2, or a `convotel serve`.
 * To find out which it is, Jaeger is asked for its services, and whatever has none for its health. What Jaeger says of
 * its services is kept for its first search. `options` are for a `convotel serve`; its token is shown to nobody else.
 * @throws `SourceError` `UNREACHABLE` when nothing answers, `WRONG_ANSWER` when it is neither.
 */
export async function openHttpSource(address: string, options: ServeSourceOptions = {}): Promise<ConversationSource> {
  const client = new HttpClient(address, { timeoutMs: TIMEOUT_MS, attempts: 2, maxAnswerBytes: MAX_ANSWER_BYTES });
  const { status, json } = await getJson(client, '/api/v3/services');
  const services = status === 200 ? readServices(json) : undefined;
  if (services !== undefined) return new JaegerSource(address, { knownServices: services });
  const health = await getJson(client, '/healthz');
  if (isJsonObject(health.json) && typeof health.json['instanceId'] === 'string') {
    return new ServeSource(address, options);
  }
  throw new SourceError(
    'WRONG_ANSWER',
    `${client.location} is neither Jaeger's query service nor a \`convotel serve\`: it answers with status ${status}. Check host and port; Jaeger's is usually 16686.`,
  );
}
