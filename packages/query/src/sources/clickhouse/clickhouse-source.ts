import type { ClickHouseClient } from '@clickhouse/client';
import { sqlEngine } from '../../engines/sql/sql-engine.ts';
import type { Answer } from '../../model/coverage.ts';
import { askEngine } from '../../questions.ts';
import type { AnyQuestion, ConversationSource, Question, QuestionName, Questions } from '../../questions.ts';
import { SourceError } from '../../source-error.ts';
import { parseClickHouseAddress } from './address.ts';
import { explainClickHouseError } from './clickhouse-errors.ts';
import type { ErrorContext } from './clickhouse-errors.ts';
import { ClickHouseStore } from './clickhouse-store.ts';
import type { ClickHouseConnection } from './clickhouse-store.ts';
import type { TableKind } from './statements.ts';

/** How a ClickHouse is asked. */
export interface ClickHouseSourceOptions {
  /** @defaultValue `default` */
  username?: string | undefined;
  /** @defaultValue none */
  password?: string | undefined;
  /** How long one query may take, in seconds. @defaultValue `60` */
  maxExecutionSeconds?: number | undefined;
  /** Most memory that one query may take on the server, in bytes. @defaultValue `4_294_967_296` */
  maxMemoryBytes?: number | undefined;
  /** Is told, once, what a person should know about the table. @defaultValue nobody is */
  onNotice?: ((text: string) => void) | undefined;
}

const MAX_EXECUTION_SECONDS = 60;
const MAX_MEMORY_BYTES = 4 * 1024 ** 3;

/** How much longer the network may take than the query. */
const EXTRA_MS = 10_000;

/** Columns of the table of collector-config/clickhouse/otel-traces.sql without which it is read like the exporter's. */
const CONVOTEL_COLUMNS = ['Step', 'IsRoot', 'Outcome', 'Version', 'Timings', 'ResponseLatency', 'SamplingRatio'];

/**
 * Opens the spans in a ClickHouse, such as `clickhouse://localhost:8123/otel`: the table of collector-config/clickhouse/otel-traces.sql, or
 * the one that the collector's exporter makes, which answers the same, more slowly. `?table=` names another one than
 * `otel_traces`, `?secure=true` asks by HTTPS.
 *
 * The package `@clickhouse/client` is loaded by the first call. Statements of one question are not answered from one
 * snapshot: spans that arrive meanwhile may be in some of its numbers and not in others.
 * @throws `SourceError` `UNREACHABLE` when nothing answers, `WRONG_ANSWER` when the server refuses, or has no such table.
 */
export async function openClickHouseSource(
  address: string,
  options: ClickHouseSourceOptions = {},
): Promise<ConversationSource> {
  const { url, database, table, location } = parseClickHouseAddress(address);
  const { maxExecutionSeconds = MAX_EXECUTION_SECONDS, maxMemoryBytes = MAX_MEMORY_BYTES } = options;
  const context: ErrorContext = { location, database, table, maxSeconds: maxExecutionSeconds };
  const { createClient, ClickHouseLogLevel } = await loadClient();
  const client = createClient({
    url,
    database,
    username: options.username ?? 'default',
    password: options.password ?? '',
    application: 'convotel',
    request_timeout: maxExecutionSeconds * 1000 + EXTRA_MS,
    log: { level: ClickHouseLogLevel.OFF },
  });
  try {
    const isReadOnly = await checkReadOnly(client, location);
    const kind = await recogniseTable(client, context);
    if (kind === 'exporter') options.onNotice?.(exporterNotice(context));
    const settings = {
      // Who may only read already may not say so again.
      ...(isReadOnly ? {} : { readonly: '2' }),
      max_execution_time: maxExecutionSeconds,
      max_memory_usage: String(maxMemoryBytes),
      output_format_json_quote_64bit_integers: 1,
      cancel_http_readonly_queries_on_client_close: 1,
      // Copies have the same start, so they are in one partition.
      do_not_merge_across_partitions_select_final: 1,
    };
    return new ClickHouseSource(context, { client, table, kind, settings });
  } catch (error) {
    await client.close();
    throw explainClickHouseError(error, context);
  }
}

async function loadClient(): Promise<typeof import('@clickhouse/client')> {
  try {
    return await import('@clickhouse/client');
  } catch (error) {
    throw new SourceError(
      'UNREACHABLE',
      'reading from ClickHouse takes the package @clickhouse/client, which is not installed; install it beside convotel: npm install @clickhouse/client',
      { cause: error },
    );
  }
}

async function checkReadOnly(client: ClickHouseClient, location: string): Promise<boolean> {
  const query = "SELECT toString(getSetting('readonly')) AS mode";
  const [row] = await (await client.query({ query, format: 'JSONEachRow' })).json<{ mode: string }>();
  if (row!.mode !== '1') return row!.mode !== '0';
  throw new SourceError(
    'WRONG_ANSWER',
    `${location}: the user may not set limits for its own queries (readonly = 1); give it readonly = 2, which lets it read only too`,
  );
}

async function recogniseTable(client: ClickHouseClient, context: ErrorContext): Promise<TableKind> {
  const { table, database, location } = context;
  const answer = await client.query({
    query:
      'SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String} ORDER BY name',
    query_params: { database, table },
    format: 'JSONEachRow',
  });
  const columns = new Set((await answer.json<{ name: string }>()).map(({ name }) => name));
  if (CONVOTEL_COLUMNS.every((name) => columns.has(name))) return 'convotel';
  if (columns.has('SpanAttributes')) return 'exporter';
  if (columns.size === 0)
    await client.query({ query: 'SELECT 1 FROM {table:Identifier} LIMIT 0', query_params: { table } });
  throw new SourceError('WRONG_ANSWER', `${location}: ${table} does not hold spans as the collector writes them`);
}

function exporterNotice({ location }: ErrorContext): string {
  return `${location} is the table that the collector's exporter makes. Answers are the same, but take several times as long as with the table of collector-config/clickhouse/otel-traces.sql.`;
}

/** Answers from a table of ClickHouse. */
class ClickHouseSource implements ConversationSource {
  readonly kind = 'clickhouse';
  readonly location: string;
  readonly #context: ErrorContext;
  readonly #connection: ClickHouseConnection;
  readonly #closing = new AbortController();

  constructor(context: ErrorContext, connection: Omit<ClickHouseConnection, 'signal'>) {
    this.location = context.location;
    this.#context = context;
    this.#connection = { ...connection, signal: this.#closing.signal };
  }

  ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>>;
  async ask(question: AnyQuestion): Promise<Answer<unknown>> {
    const filters = 'filters' in question ? question.filters : undefined;
    try {
      return await askEngine(sqlEngine, new ClickHouseStore(this.#connection, filters), question);
    } catch (error) {
      throw explainClickHouseError(error, this.#context);
    }
  }

  /** The server ends what is still running when its client goes away. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connection.client.close();
  }
}
