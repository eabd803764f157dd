import type { ClickHouseClient } from '@clickhouse/client';
import { sqlEngine } from '../../engines/sql/sql-engine.ts';
import { SourceError } from '../../errors.ts';
import type { SourceErrorCode } from '../../errors.ts';
import type { Answer } from '../../model/coverage.ts';
import { askEngine } from '../../questions.ts';
import type { AnyQuestion, ConversationSource, Question, QuestionName, Questions } from '../../questions.ts';
import { ClickHouseStore, newQueryId } from './clickhouse-store.ts';
import type { ClickHouseConnection } from './clickhouse-store.ts';
import { recogniseTable } from './table.ts';

/** How a ClickHouse is asked. */
export interface ClickHouseSourceOptions {
  /** @defaultValue `default` */
  username?: string | undefined;
  /** @defaultValue none */
  password?: string | undefined;
  /** How long one query may take, in seconds. @defaultValue what the user's profile says, else `60` */
  maxExecutionSeconds?: number | undefined;
  /** Most memory that one query may take on the server, in bytes. @defaultValue what the user's profile says, else 4 GiB */
  maxMemoryBytes?: number | undefined;
  /**
   * How far around a window the spans of its conversations are looked for, in seconds: whatever is further away does not
   * belong to them. What is asked for by its id is read whole. @defaultValue `21_600`, six hours
   */
  reachSeconds?: number | undefined;
  /** Called once with what a person should know about the table. @defaultValue the notice is dropped */
  onNotice?: ((text: string) => void) | undefined;
  /**
   * Called twice a second with the progress of the statement that the server is running; a question may need several.
   * Never called when the user may not read `system.processes`. @defaultValue progress is not asked for
   */
  onProgress?: ((progress: ClickHouseProgress) => void) | undefined;
}

/** How far a query is, as the server says. */
export interface ClickHouseProgress {
  readRows: number;
  /** How many there are to read, as far as the server knows; at least 1. */
  totalRows: number;
}

const MAX_EXECUTION_SECONDS = 60;
const REACH_SECONDS = 21_600;
const MAX_MEMORY_BYTES = 4 * 1024 ** 3;

/** A day: longer than any limit that somebody would set. */
const LONGEST_REQUEST_MS = 86_400_000;

/** The oldest release that has every setting and function that is used, by its documentation: year and month. */
const OLDEST_VERSION = [24, 8] as const;

/**
 * Opens the spans in a ClickHouse, such as `clickhouse://localhost:8123/otel`: the table of
 * {@link clickHouseTableDefinition}, or the one that the collector's exporter makes, which answers the same, more slowly. `?table=` names another one than
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
  const { reachSeconds = REACH_SECONDS } = options;
  const context: ErrorContext = { location, database, table, maxSeconds: 0 };
  const { createClient, ClickHouseLogLevel } = await loadClient();
  const client = createClient({
    url,
    database,
    username: options.username ?? 'default',
    password: options.password ?? '',
    application: 'convotel',
    // The server ends a query that takes too long, and says so.
    request_timeout: LONGEST_REQUEST_MS,
    log: { level: ClickHouseLogLevel.OFF },
  });
  const closing = new AbortController();
  try {
    const profile = await readProfile(client, location);
    context.maxSeconds = options.maxExecutionSeconds ?? (profile.maxExecutionSeconds || MAX_EXECUTION_SECONDS);
    const settings: Record<string, string | number> = {
      max_execution_time: context.maxSeconds,
      max_memory_usage: String(options.maxMemoryBytes ?? (profile.maxMemoryBytes || MAX_MEMORY_BYTES)),
      // Who may only read already may not say so again.
      ...(profile.mayWrite && { readonly: '2' }),
      output_format_json_quote_64bit_integers: 1,
      cancel_http_readonly_queries_on_client_close: 1,
      // Copies have the same start, so they are in one partition.
      do_not_merge_across_partitions_select_final: 1,
      // Both read less where trace ids are given; they look at columns of which copies have the same values.
      optimize_move_to_prewhere_if_final: 1,
      use_skip_indexes_if_final: 1,
      // Of a cluster, the spans of a conversation are on one shard.
      distributed_product_mode: 'local',
    };
    const { kind, notice } = await recogniseTable(context, async (query) => {
      const answer = await client.query({
        query,
        query_params: { database, table },
        format: 'JSONEachRow',
        clickhouse_settings: settings,
        query_id: newQueryId(),
      });
      return answer.json();
    });
    if (notice !== undefined) options.onNotice?.(notice);
    return new ClickHouseSource(context, closing, {
      client,
      table,
      kind,
      settings,
      reachNano: BigInt(reachSeconds) * 1_000_000_000n,
      onProgress: options.onProgress,
      signal: closing.signal,
    });
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

/** What the profile of the user says; a limit of 0 is none. */
interface UserProfile {
  mayWrite: boolean;
  maxExecutionSeconds: number;
  maxMemoryBytes: number;
}

/** Asks without settings: who may set none is told so. */
async function readProfile(client: ClickHouseClient, location: string): Promise<UserProfile> {
  const query = `SELECT version() AS version, toString(getSetting('readonly')) AS mode,
    toFloat64(getSetting('max_execution_time')) AS seconds, toFloat64(getSetting('max_memory_usage')) AS bytes`;
  const answer = await client.query({ query, format: 'JSONEachRow', query_id: newQueryId() });
  const [row] = await answer.json<{ version: string; mode: string; seconds: number; bytes: number }>();
  const { version, mode, seconds, bytes } = row!;
  const [year = 0, month = 0] = version.split('.').map(Number);
  if (year < OLDEST_VERSION[0] || (year === OLDEST_VERSION[0] && month < OLDEST_VERSION[1])) {
    throw new SourceError(
      'WRONG_ANSWER',
      `${location}: ClickHouse ${version} is too old; ${OLDEST_VERSION.join('.')} or newer is needed`,
    );
  }
  if (mode !== '1') return { mayWrite: mode === '0', maxExecutionSeconds: seconds, maxMemoryBytes: bytes };
  throw new SourceError(
    'WRONG_ANSWER',
    `${location}: the user may not set limits for its own queries (readonly = 1); give it readonly = 2, which lets it read only too`,
  );
}

/** What an address says. */
interface ClickHouseAddress {
  /** The server's HTTP interface. */
  url: string;
  database: string;
  table: string;
  /** The address as a person may see it. */
  location: string;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/**
 * Reads `clickhouse://host[:port]/database[?table=otel_traces&secure=true]`.
 * @throws `SourceError` `UNREACHABLE` when it is not one; nothing of a password in it is repeated.
 */
function parseClickHouseAddress(address: string): ClickHouseAddress {
  const form = 'Give one such as clickhouse://localhost:8123/otel';
  // Addresses of schemes that the URL standard does not know have opaque hosts, so it is read as HTTP.
  const text = address.replace(/^clickhouse:/i, 'http:');
  if (!URL.canParse(text)) throw new SourceError('UNREACHABLE', `the address of ClickHouse is not valid. ${form}.`);
  const { hostname, port, username, password, pathname, searchParams } = new URL(text);
  if (username !== '' || password !== '') {
    throw new SourceError(
      'UNREACHABLE',
      'the address of ClickHouse has a user or a password in it, where others may see them. Set CONVOTEL_CLICKHOUSE_USER and CONVOTEL_CLICKHOUSE_PASSWORD instead.',
    );
  }
  for (const name of searchParams.keys()) {
    if (name === 'table' || name === 'secure') continue;
    throw new SourceError(
      'UNREACHABLE',
      `the address of ClickHouse has an unknown part "${name}". ${form}?table=otel_traces&secure=true.`,
    );
  }
  const isSecure = searchParams.get('secure') === 'true';
  // The URL standard drops the port 80 of HTTP, so where it was written it is asked for in the text.
  const written = port || (/^http:\/\/[^/?#]*:80(?:[/?#]|$)/i.test(text) ? '80' : isSecure ? '8443' : '8123');
  const database = pathname.replace(/^\/|\/$/g, '') || 'default';
  const table = searchParams.get('table') ?? 'otel_traces';
  for (const name of [database, table]) {
    if (!IDENTIFIER.test(name)) {
      throw new SourceError('UNREACHABLE', `"${name}" is not the name of a database or table. ${form}.`);
    }
  }
  return {
    url: `${isSecure ? 'https' : 'http'}://${hostname}:${written}`,
    database,
    table,
    location: `clickhouse://${hostname}:${written}/${database}${table === 'otel_traces' ? '' : `?table=${table}`}`,
  };
}

/** Answers from a table of ClickHouse. */
class ClickHouseSource implements ConversationSource {
  readonly kind = 'clickhouse';
  readonly location: string;
  readonly #context: ErrorContext;
  readonly #connection: ClickHouseConnection;
  readonly #closing: AbortController;

  constructor(context: ErrorContext, closing: AbortController, connection: ClickHouseConnection) {
    this.location = context.location;
    this.#context = context;
    this.#closing = closing;
    this.#connection = connection;
  }

  ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>>;
  async ask(question: AnyQuestion): Promise<Answer<unknown>> {
    try {
      return await askEngine(sqlEngine, new ClickHouseStore(this.#connection, question), question);
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

/** What a person is told about an error of the server, by its number; the server's own words would be pages. */
const SENTENCES: Readonly<Record<string, (context: ErrorContext) => readonly [SourceErrorCode, string]>> = {
  60: ({ table, database }) => [
    'WRONG_ANSWER',
    `there is no table ${table} in the database ${database}; \`convotel clickhouse ddl\` prints what makes it; or name another one with ?table=`,
  ],
  81: ({ database }) => [
    'WRONG_ANSWER',
    `there is no database ${database}; name another one in the address, such as clickhouse://host/otel`,
  ],
  159: ({ maxSeconds }) => [
    'UNREACHABLE',
    `the question took longer than ${maxSeconds} seconds, and was stopped; ask about a shorter window`,
  ],
  160: ({ maxSeconds }) => [
    'UNREACHABLE',
    `the server expects the question to take longer than ${maxSeconds} seconds; ask about a shorter window`,
  ],
  241: () => [
    'WRONG_ANSWER',
    'the question needs more memory than it may take; ask about a shorter window, or let the profile of the user allow more (max_memory_usage)',
  ],
  497: ({ table, database }) => [
    'WRONG_ANSWER',
    `the user may not read ${database}.${table}; grant it: GRANT SELECT ON ${database}.${table} TO the user`,
  ],
  516: () => [
    'WRONG_ANSWER',
    'user or password is wrong; set CONVOTEL_CLICKHOUSE_USER and CONVOTEL_CLICKHOUSE_PASSWORD',
  ],
  164: () => ['WRONG_ANSWER', 'the user may not set limits; give it readonly = 2 instead of 1'],
  452: () => [
    'WRONG_ANSWER',
    'the profile of the user forbids the limits that convotel sets; allow them up to its own',
  ],
  202: () => ['UNREACHABLE', 'the server is answering as many queries as it may; try again'],
  115: () => [
    'WRONG_ANSWER',
    'the server does not know a setting that convotel sends; ClickHouse 24.8 or newer is needed',
  ],
  46: () => [
    'WRONG_ANSWER',
    'the server does not know a function that convotel uses; ClickHouse 24.8 or newer is needed',
  ],
  47: ({ table }) => [
    'WRONG_ANSWER',
    `${table} lacks a column that the collector writes; \`convotel clickhouse ddl\` prints a table that has them all`,
  ],
};

/** What an error message names. */
export interface ErrorContext {
  location: string;
  database: string;
  table: string;
  maxSeconds: number;
}

/** What went wrong at `context.location`, said for people; what is no error of server or network stays as it is. */
export function explainClickHouseError(error: unknown, context: ErrorContext): unknown {
  // An error of the network may be of another realm than this module.
  const { code, name, message = '' } = error as { code?: unknown; name?: string; message?: string };
  if (error instanceof SourceError || name === 'TimeError' || message === '') return error;
  const sentence = SENTENCES[String(code)];
  if (sentence !== undefined) {
    const [sourceErrorCode, text] = sentence(context);
    return new SourceError(sourceErrorCode, `${context.location}: ${text}`, { cause: error });
  }
  if (typeof code === 'string' && /CERT|SIGNATURE|^ERR_(?:TLS|SSL)|^EPROTO$/.test(code)) {
    const text = `no safe connection to ClickHouse at ${context.location} (${code}); is ?secure=true right for this port? A certificate authority of your own goes into NODE_EXTRA_CA_CERTS`;
    return new SourceError('UNREACHABLE', text, { cause: error });
  }
  if (typeof code === 'string' && /^E[A-Z_]+$/.test(code)) {
    const text = `ClickHouse cannot be reached at ${context.location} (${code}); check host and port, the HTTP port is usually 8123`;
    return new SourceError('UNREACHABLE', text, { cause: error });
  }
  if (/timeout/i.test(message)) {
    const text = `${context.location} did not answer in time; ask about a shorter window`;
    return new SourceError('UNREACHABLE', text, { cause: error });
  }
  const [firstLine = ''] = message.split('\n');
  const text = `${context.location} answered with an error: ${firstLine.slice(0, 300)}`;
  return new SourceError('WRONG_ANSWER', text, { cause: error });
}
