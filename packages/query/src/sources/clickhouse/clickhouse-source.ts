import type { ClickHouseClient } from '@clickhouse/client';
import { sqlEngine } from '../../engines/sql/sql-engine.ts';
import { SourceError } from '../../errors.ts';
import { approximateWarning, withWarning } from '../../model/coverage.ts';
import type { Answer } from '../../model/coverage.ts';
import { askEngine } from '../../questions.ts';
import type { AnyQuestion, ConversationSource, Question, QuestionName, Questions } from '../../questions.ts';
import { explainClickHouseError } from './clickhouse-errors.ts';
import type { ErrorContext } from './clickhouse-errors.ts';
import { ClickHouseStore, newQueryId } from './clickhouse-store.ts';
import type { ClickHouseConnection } from './clickhouse-store.ts';
import { recogniseTable } from './table.ts';

/** Options of `openClickHouseSource`. */
export interface ClickHouseSourceOptions {
  /** @defaultValue `default` */
  username?: string | undefined;
  /** @defaultValue none */
  password?: string | undefined;
  /** Time limit of one query, in seconds. @defaultValue that of the user's profile, else `60` */
  maxExecutionSeconds?: number | undefined;
  /** Memory limit of one query on the server, in bytes. @defaultValue that of the user's profile, else 4 GiB */
  maxMemoryBytes?: number | undefined;
  /**
   * How far outside a window the spans of its conversations are searched, in seconds; spans further away are not found.
   * A conversation that is asked for by its id is always read completely. @defaultValue `21_600`, six hours
   */
  reachSeconds?: number | undefined;
  /** Called once with a notice if there is a problem with the table. @defaultValue notices are ignored */
  onNotice?: ((text: string) => void) | undefined;
  /**
   * Called twice a second with the progress of the running statement; a question may need several. Not called if the
   * user may not read `system.processes`. @defaultValue progress is not polled
   */
  onProgress?: ((progress: ClickHouseProgress) => void) | undefined;
}

/** Progress of a query. */
export interface ClickHouseProgress {
  readRows: number;
  /** The server's estimate of the rows to read; at least 1. */
  totalRows: number;
}

const MAX_EXECUTION_SECONDS = 60;
const REACH_SECONDS = 21_600;
const MAX_MEMORY_BYTES = 4 * 1024 ** 3;

/** A day: longer than any reasonable query limit. */
const LONGEST_REQUEST_MS = 86_400_000;

/**
 * The oldest supported release (year, month): according to its documentation, it has all settings and functions used.
 */
const OLDEST_VERSION = [24, 8] as const;

/**
 * Opens the spans in a ClickHouse, such as `clickhouse://localhost:8123/otel`: the table of
 * {@link clickHouseTableDefinition}, or that of the collector's exporter, which gives the same answers more slowly. The
 * default table is `otel_traces`; `?table=` sets another one, and `?secure=true` uses HTTPS. `?sample=100` reads one in
 * 100 conversations, selected by trace id: every answer, except about a single conversation, is then an estimate with
 * the warning `approximate`.
 *
 * The package `@clickhouse/client` is loaded by the first call. The statements of a question do not run in one
 * snapshot: spans that arrive meanwhile may be in some of its numbers, but not in others.
 * @throws `SourceError` `UNREACHABLE` if nothing answers; `WRONG_ANSWER` if the server refuses or has no such table.
 */
export async function openClickHouseSource(
  address: string,
  options: ClickHouseSourceOptions = {},
): Promise<ConversationSource> {
  const { url, database, table, sample, location } = parseClickHouseAddress(address);
  const { reachSeconds = REACH_SECONDS } = options;
  const context: ErrorContext = { location, database, table, maxSeconds: 0 };
  const { createClient, ClickHouseLogLevel } = await loadClient();
  const client = createClient({
    url,
    database,
    username: options.username ?? 'default',
    password: options.password ?? '',
    application: 'convotel',
    // The server itself aborts queries that take too long, with a better error.
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
      // A read-only user may not set `readonly`.
      ...(profile.mayWrite && { readonly: '2' }),
      output_format_json_quote_64bit_integers: 1,
      cancel_http_readonly_queries_on_client_close: 1,
      // Duplicates have the same start, so they are in the same partition.
      do_not_merge_across_partitions_select_final: 1,
      // Both reduce what is read for given trace ids. They are safe, because duplicates agree in the columns concerned.
      optimize_move_to_prewhere_if_final: 1,
      use_skip_indexes_if_final: 1,
      // In a cluster, all spans of a conversation are on one shard.
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
    return new ClickHouseSource(context, closing, sample, {
      client,
      table,
      kind,
      settings,
      sampleBelow: sample === undefined ? undefined : firstDigits(sample),
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

/** Settings of the user's profile; a limit of 0 means no limit. */
interface UserProfile {
  mayWrite: boolean;
  maxExecutionSeconds: number;
  maxMemoryBytes: number;
}

/** Queries without settings, to find out whether the user may set any. */
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

/** A parsed address. */
interface ClickHouseAddress {
  /** The server's HTTP interface. */
  url: string;
  database: string;
  table: string;
  /** Reads one in this many conversations; undefined to read all. */
  sample: number | undefined;
  /** The address for display, without secrets. */
  location: string;
}

/** Sampling uses eight digits of the trace id, and a smaller sample would not be meaningful. */
const MAX_SAMPLE = 1_000_000;

/** Trace ids are uniformly distributed, so one in `sample` is below the returned digits. */
function firstDigits(sample: number): string {
  return Math.round(2 ** 32 / sample)
    .toString(16)
    .padStart(8, '0');
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/**
 * Parses `clickhouse://host[:port]/database[?table=otel_traces&secure=true&sample=100]`.
 * @throws `SourceError` `UNREACHABLE` if it is invalid; the message contains no part of a password.
 */
function parseClickHouseAddress(address: string): ClickHouseAddress {
  const form = 'Give one such as clickhouse://localhost:8123/otel';
  // Parsed as HTTP, because the URL standard does not parse the hosts of unknown schemes.
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
    if (['table', 'secure', 'sample'].includes(name)) continue;
    throw new SourceError(
      'UNREACHABLE',
      `the address of ClickHouse has an unknown part "${name}". ${form}?table=otel_traces&secure=true.`,
    );
  }
  const isSecure = searchParams.get('secure') === 'true';
  // The URL standard drops port 80 of HTTP, so it is searched in the text.
  const written = port || (/^http:\/\/[^/?#]*:80(?:[/?#]|$)/i.test(text) ? '80' : isSecure ? '8443' : '8123');
  const database = pathname.replace(/^\/|\/$/g, '') || 'default';
  const table = searchParams.get('table') ?? 'otel_traces';
  for (const name of [database, table]) {
    if (!IDENTIFIER.test(name)) {
      throw new SourceError('UNREACHABLE', `"${name}" is not the name of a database or table. ${form}.`);
    }
  }
  const sample = searchParams.get('sample');
  if (sample !== null && (!/^\d{1,7}$/.test(sample) || Number(sample) < 2 || Number(sample) > MAX_SAMPLE)) {
    throw new SourceError(
      'UNREACHABLE',
      `sample=${sample} in the address of ClickHouse is not a whole number from 2 to ${MAX_SAMPLE}: sample=100 reads one conversation in 100.`,
    );
  }
  const shown = Object.entries({ ...(table !== 'otel_traces' && { table }), ...(sample !== null && { sample }) });
  return {
    url: `${isSecure ? 'https' : 'http'}://${hostname}:${written}`,
    database,
    table,
    sample: sample === null ? undefined : Number(sample),
    location: `clickhouse://${hostname}:${written}/${database}${shown.length === 0 ? '' : `?${shown.map((part) => part.join('=')).join('&')}`}`,
  };
}

class ClickHouseSource implements ConversationSource {
  readonly kind = 'clickhouse';
  readonly location: string;
  readonly #context: ErrorContext;
  readonly #connection: ClickHouseConnection;
  readonly #closing: AbortController;
  readonly #sample: number | undefined;

  constructor(
    context: ErrorContext,
    closing: AbortController,
    sample: number | undefined,
    connection: ClickHouseConnection,
  ) {
    this.location = context.location;
    this.#context = context;
    this.#closing = closing;
    this.#sample = sample;
    this.#connection = connection;
  }

  ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>>;
  async ask(question: AnyQuestion): Promise<Answer<unknown>> {
    try {
      const answer = await askEngine(sqlEngine, new ClickHouseStore(this.#connection, question), question);
      if (this.#sample === undefined || question.name === 'conversation') return answer;
      const coverage = withWarning(answer.coverage, approximateWarning(this.#sample));
      return { ...answer, coverage: { ...coverage, complete: false } };
    } catch (error) {
      throw explainClickHouseError(error, this.#context);
    }
  }

  /** The server aborts queries whose client has disconnected. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connection.client.close();
  }
}
