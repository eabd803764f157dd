import { existsSync } from 'node:fs';
import { QueryError, SourceError } from '../errors.ts';
import { AnswerTooLargeError, HttpClient, socketPathOf } from '../http/http-client.ts';
import { isJsonObject } from '../otlp/json-fields.ts';
import type { ConversationSource } from '../questions.ts';
import type { ClickHouseSourceOptions } from './clickhouse/clickhouse-source.ts';
import { getJson, readServices } from './jaeger/jaeger-client.ts';
import { ServeSource } from './serve/serve-source.ts';
import type { ServeSourceOptions } from './serve/serve-source.ts';

/** How a ClickHouse is asked, and the token that a `convotel serve` is shown. */
export type ConnectOptions = ClickHouseSourceOptions & Pick<ServeSourceOptions, 'token'>;

/**
 * Opens what `where` names, as `--from` of the command line takes it: the address of a Jaeger's query service or of a
 * `convotel serve` (`http://` may be left out where there is a port, as in `localhost:16686`; `unix:` and a path for a
 * socket), `clickhouse://…`, or the path of a file of OTLP/JSON. The file of the embedded back end is opened by `connect` of `@convotel/local`.
 *
 * ```typescript
 * const source = await connect('localhost:16686');
 * ```
 * Close the source when you are done.
 * @param options - how a ClickHouse or a `convotel serve` is asked; others need none
 * @throws `QueryError` `OPTION_OUT_OF_RANGE` when `where` can name nothing; `SourceError` when it cannot be opened.
 */
export async function connect(where: string, options: ConnectOptions = {}): Promise<ConversationSource> {
  if (where === '') {
    throw refused('is empty. Give an http://, unix: or clickhouse:// address, or a file of OTLP/JSON lines.');
  }
  if (/^clickhouse:\/\//i.test(where)) {
    const { openClickHouseSource } = await import('./clickhouse/clickhouse-source.ts');
    return openClickHouseSource(where, options);
  }
  if (socketPathOf(where) !== undefined) return new ServeSource(where, { token: options.token });
  const address = addressOf(where);
  if (address !== undefined) {
    if (!URL.canParse(address)) {
      throw refused('is not a valid address. Give one such as http://localhost:16686, with host and port.');
    }
    return openHttpSource(address, { token: options.token });
  }
  if (existsSync(where)) return openFile(where);
  if (where === 'local') {
    throw refused(
      'is "local", which connect() of @convotel/local opens. Give an address, or a file of OTLP/JSON lines.',
    );
  }
  if (/^[a-z][a-z\d+.-]*:\/\/|@.*:\d+(?:\/|$)/is.test(where)) {
    throw refused('takes an http:// or https:// address, such as http://name:password@host:16686.');
  }
  return openFile(where);
}

async function openFile(path: string): Promise<ConversationSource> {
  const { openFileSource } = await import('./file/file-source.ts');
  return openFileSource(path);
}

/**
 * `where` as an address of HTTP; a host with a port, such as `localhost:16686` or `:4318`, is one too unless a file has
 * that name.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE` for a host without a port
 */
export function addressOf(where: string): string | undefined {
  if (/^https?:\/\//i.test(where)) return where;
  if (existsSync(where)) return undefined;
  const [, host, rest] = /^([\w.-]*|\[[\da-f:.]+\])(:\d{1,5}(?:\/.*)?)$/i.exec(where) ?? [];
  if (rest !== undefined) return `http://${host || 'localhost'}${rest}`;
  if (/^(?:localhost|\d{1,3}(?:\.\d{1,3}){3})$/i.test(where)) {
    throw refused(`${where} has no port. Did you mean ${where}:4318 (convotel serve) or ${where}:16686 (Jaeger)?`);
  }
  return undefined;
}

/** The message goes on from `where`, in whose place the command line puts its option. */
function refused(message: string): QueryError {
  return new QueryError('OPTION_OUT_OF_RANGE', `where ${message}`);
}

/** Ten seconds: the server is local, or already warm behind a proxy. */
const TIMEOUT_MS = 10_000;

/** Of a list of services, or of a few words. */
const MAX_ANSWER_BYTES = 16_777_216;

/**
 * Opens the back end at an `http://` or `https://` address: the query service of a Jaeger 2, or a `convotel serve`.
 * To find out which it is, Jaeger is asked for its services, and whatever has none for its health. What Jaeger says of
 * its services is kept for its first search. `options` are for a `convotel serve`; its token is sent nowhere else.
 * @throws `SourceError` `UNREACHABLE` when nothing answers, `WRONG_ANSWER` when it is neither.
 */
export async function openHttpSource(address: string, options: ServeSourceOptions = {}): Promise<ConversationSource> {
  const client = new HttpClient(address, { timeoutMs: TIMEOUT_MS, attempts: 2, maxAnswerBytes: MAX_ANSWER_BYTES });
  try {
    return await recognise(address, client, options);
  } catch (error) {
    if (!(error instanceof AnswerTooLargeError)) throw error;
    throw neither(client, `sends ${error.message}`, error);
  }
}

async function recognise(
  address: string,
  client: HttpClient,
  options: ServeSourceOptions,
): Promise<ConversationSource> {
  const { status, json } = await getJson(client, '/api/v3/services');
  const services = status === 200 ? readServices(json) : undefined;
  if (services !== undefined) {
    const { JaegerSource } = await import('./jaeger/jaeger-source.ts');
    return new JaegerSource(address, { knownServices: services });
  }
  const health = await getJson(client, '/healthz');
  if (isJsonObject(health.json) && typeof health.json['instanceId'] === 'string') {
    return new ServeSource(address, options);
  }
  throw neither(client, `answers with status ${status}`);
}

function neither({ location }: HttpClient, whatItDoes: string, cause?: unknown): SourceError {
  return new SourceError(
    'WRONG_ANSWER',
    `${location} is neither Jaeger's query service nor a \`convotel serve\`: it ${whatItDoes}. Check host and port; Jaeger's is usually 16686.`,
    { cause },
  );
}
