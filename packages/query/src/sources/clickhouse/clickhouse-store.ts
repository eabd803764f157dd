import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { traceIdOf } from '@convotel/conventions';
import { windowValues } from '../../engines/sql/sql-store.ts';
import type {
  DurationsTable,
  FoldedNames,
  SpanStatementName,
  SqlRow,
  SqlStore,
  SqlValue,
  StatementName,
  StepDurationsAsked,
} from '../../engines/sql/sql-store.ts';
import { EARLIEST_UNIX_NANO } from '../../model/conversation.ts';
import type { ConversationFilters } from '../../model/conversation.ts';
import { TOO_LONG_NANO } from '../../model/numbers.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import type { AnyQuestion, Question } from '../../questions.ts';
import { readDurationsTable } from './durations-table.ts';
import { CLICKHOUSE_READERS, readColumns, readRows, readSpanRow } from './rows.ts';
import type { CompactAnswer } from './rows.ts';
import {
  isReadByScan,
  rowsOfConversations,
  rowsOfScan,
  rowsOfWindow,
  statementPartsOf,
  statementText,
} from './statements.ts';
import type { ClickHouseStatement, SharedRows } from './statements.ts';
import type { TableKind } from './table.ts';

/** Maximum number of trace ids in one query, because the server limits the length of a parameter. */
const MAX_TRACE_IDS = 2_000;

const PROGRESS_MS = 500;
const PROGRESS =
  'SELECT toString(read_rows) AS read, toString(total_rows_approx) AS total FROM system.processes WHERE query_id = {query_id:String}';

const NANO_PER_SECOND = 1_000_000_000n;

/** ClickHouse stores hours and days in fewer bits than nanoseconds: later times would wrap around. */
const LATEST_NANO = BigInt(Date.UTC(2106, 0, 1)) * 1_000_000n;

/** A connection, and the settings of all its queries. */
export interface ClickHouseConnection {
  client: ClickHouseClient;
  table: string;
  kind: TableKind;
  settings: Readonly<Record<string, string | number>>;
  /** Upper bound of the trace ids for questions with a window; undefined to include all. */
  sampleBelow: string | undefined;
  /** How far outside a window the spans of its conversations are searched, in nanoseconds. */
  reachNano: bigint;
  /** Called with the progress of a query. */
  onProgress: ((progress: { readRows: number; totalRows: number }) => void) | undefined;
  /** Aborts all running queries. */
  signal: AbortSignal;
}

/** A query id with a prefix that shows operators that the query is from convotel. */
export function newQueryId(): string {
  return `convotel-${randomUUID()}`;
}

/** Runs the statements in `sql/` for one question. They see only the conversations that its filters select. */
export class ClickHouseStore implements SqlStore {
  readonly readers = CLICKHOUSE_READERS;
  readonly isFiltered: boolean;
  /** It reads less where fewer traces are looked up. */
  readonly spansSearchedEasily = 0;
  readonly #connection: ClickHouseConnection;
  readonly #filters: ConversationFilters;
  readonly #question: AnyQuestion;
  /** Rows that a scan for another statement has already returned. */
  #shared: Partial<SharedRows> = {};
  /** The spans of the derived trace, which are read in parallel with the search for other traces with the id. */
  #derived: { traceId: string; rows: Promise<SqlRow[]> } | undefined;
  /** Whether the retries in this question depend on the order of span ids, because spans start at the same time. */
  #hasTies = false;
  #groups: { group_attribute: string; group_values: readonly string[] } | undefined;
  #fold: { kept_steps: readonly string[]; other_step: string } | undefined;

  constructor(connection: ClickHouseConnection, question: AnyQuestion) {
    this.#connection = connection;
    this.#question = question;
    this.#filters = ('filters' in question ? question.filters : undefined) ?? {};
    this.isFiltered = Object.values(this.#filters).some((filter) => filter !== undefined);
  }

  async foldStepNames({
    window,
    maxNames,
    other,
    wholeConversations,
  }: Parameters<SqlStore['foldStepNames']>[0]): Promise<FoldedNames | undefined> {
    // Counts the names first, which is cheap, because few stores have that many.
    const count = wholeConversations
      ? Number(readRows(await this.#ask('step-name-count', windowValues(window)))[0]!['names'])
      : new Set((await this.#scan(windowValues(window)))['step-statistics'].map((row) => row['step'])).size;
    if (count <= maxNames) return undefined;
    const values = { whole_conversations: wholeConversations, other_step: other, row_limit: maxNames };
    const rows = readRows(await this.#ask('step-names', { ...windowValues(window), ...values }));
    const folded = Number(rows[0]?.['names'] ?? 0) - rows.length;
    if (folded <= 0) return undefined;
    const kept = rows.map((row) => row['step'] as string);
    this.#fold = { kept_steps: kept, other_step: other };
    const { coverage } = this.#shared;
    this.#shared = coverage === undefined ? {} : { coverage };
    return { kept: new Set(kept), folded };
  }

  async groupSpans({ groupBy: { attribute, values } }: Parameters<SqlStore['groupSpans']>[0]): Promise<void> {
    this.#groups = { group_attribute: attribute, group_values: values };
  }

  rows(name: StatementName, values: Readonly<Record<string, SqlValue>>): Promise<SqlRow[]>;
  rows<Item>(
    name: StatementName,
    values: Readonly<Record<string, SqlValue>>,
    read: (row: SqlRow) => Item,
  ): Promise<Item[]>;
  async rows(
    name: StatementName,
    values: Readonly<Record<string, SqlValue>>,
    read: (row: SqlRow) => unknown = (row) => row,
  ): Promise<unknown[]> {
    const items: unknown[] = [];
    for (const some of inParts(values)) for (const row of await this.#rowsOf(name, some)) items.push(read(row));
    return items;
  }

  spans(name: SpanStatementName, values: Readonly<Record<string, SqlValue>>): Promise<SpanRecord[]> {
    return this.rows(name, values, readSpanRow);
  }

  async #rowsOf(name: StatementName, values: Readonly<Record<string, SqlValue>>): Promise<readonly SqlRow[]> {
    if (isReadByScan(name)) {
      if (name !== 'coverage' && this.#isBeyondScan(values)) return (await this.#readScan(values))[name];
      if (this.#shared[name] === undefined) {
        if (this.#question.name === 'step-statistics') await this.#scan(values);
        else this.#share(rowsOfWindow(await this.#read('window', values)));
      }
      return this.#shared[name]!;
    }
    if (name === 'conversation-carriers') {
      const derived = traceIdOf(values['conversation_id'] as string);
      this.#derived = { traceId: derived, rows: this.#read('conversation-spans', { trace_id: derived }) };
      // The code that awaits the rows handles the error.
      this.#derived.rows.catch(() => {});
    }
    if (name === 'conversation-spans' && values['trace_id'] === this.#derived?.traceId) return this.#derived!.rows;
    const rows = await this.#read(name as ClickHouseStatement, values);
    const isWhole =
      name === 'largest-conversations' || name === 'conversation-counts' || name === 'response-statistics';
    if (isWhole && this.#groups === undefined) this.#share(rowsOfConversations(name, rows));
    // Groups without a latency.
    if (name === 'response-statistics') return rows.filter((row) => Number(row['conversations']) > 0);
    if (name !== 'step-retries') return rows;
    if (!this.#hasTies && rows.some((row) => Boolean(row['has_ties']))) {
      this.#hasTies = true;
      return this.#rowsOf(name, values);
    }
    const steps = rows.filter((row) => row['step'] !== '');
    // The row without a step contains `seen`, if there are conversations.
    const [counted] = rows.filter((row) => row['step'] === '');
    this.#shared.coverage = [{ conversations: counted?.['seen'] ?? 0n }];
    return steps;
  }

  /** Keeps rows for further statements; those that are known already stay. */
  #share(rows: Partial<SharedRows>): void {
    this.#shared = { ...rows, ...this.#shared };
  }

  stepDurations(asked: StepDurationsAsked): Promise<DurationsTable> {
    const reader = {
      columns: async (name: ClickHouseStatement, values: Readonly<Record<string, SqlValue>>) =>
        readColumns(await this.#ask(name, values)),
      rows: this.#read.bind(this),
    };
    return readDurationsTable(reader, asked);
  }

  async #read(name: ClickHouseStatement, values: Readonly<Record<string, SqlValue>>): Promise<SqlRow[]> {
    return readRows(await this.#ask(name, values));
  }

  /** All rows that a single scan of the window's steps can provide. */
  async #scan(values: Readonly<Record<string, SqlValue>>): Promise<SharedRows> {
    if (this.#shared['step-statistics'] === undefined) {
      const { step = null, quantiles = [] } = this.#question as Question<'step-statistics'>;
      this.#share(await this.#readScan({ ...values, step, probabilities: quantiles.length === 0 ? [0.5] : quantiles }));
    }
    return this.#shared as SharedRows;
  }

  async #readScan(values: Readonly<Record<string, SqlValue>>): Promise<Omit<SharedRows, 'coverage'>> {
    const scanned = { ...values, too_long_ns: TOO_LONG_NANO };
    return rowsOfScan(await this.#read('step-scan', scanned), values['step'] as string | null);
  }

  /** Whether quantiles are read that the first scan does not have: where intervals end is known only after it. */
  #isBeyondScan({ probabilities = [] }: Readonly<Record<string, SqlValue>>): boolean {
    const { quantiles = [] } = this.#question as Question<'step-statistics'>;
    return (probabilities as readonly number[]).length > Math.max(1, quantiles.length);
  }

  async #ask(name: ClickHouseStatement, values: Readonly<Record<string, SqlValue>>): Promise<CompactAnswer> {
    const { client, table, kind, settings, reachNano, sampleBelow, signal } = this.#connection;
    const { probabilities = [], ...others } = values;
    const shape = {
      kind,
      isFiltered: this.isFiltered,
      isFolded: this.#fold !== undefined,
      isGrouped: this.#groups !== undefined,
      isSampled: sampleBelow !== undefined,
      probabilityCount: (probabilities as readonly number[]).length,
      parts: statementPartsOf(this.#question, this.#hasTies),
    };
    const queryId = newQueryId();
    const over = this.#followProgress(queryId);
    try {
      const query = statementText(name, shape);
      const parameters = {
        table,
        sample_below: sampleBelow,
        ...this.#fold,
        ...this.#groups,
        ...filterValues(this.#filters),
        ...boundValues(others, probabilities as number[], reachNano),
      };
      const answer = await client.query({
        query,
        query_params: Object.fromEntries(Object.entries(parameters).filter(([key]) => query.includes(`{${key}:`))),
        // A list of trace ids would not fit in a URL.
        use_multipart_params: true,
        format: 'JSONCompactEachRowWithNamesAndTypes',
        clickhouse_settings: settings,
        query_id: queryId,
        abort_signal: signal,
      });
      return (await answer.json()) as CompactAnswer;
    } finally {
      over.abort();
    }
  }

  /** Polls the progress of the query until the returned controller is aborted. */
  #followProgress(queryId: string): AbortController {
    const over = new AbortController();
    const { client, settings, onProgress } = this.#connection;
    const follow = async (): Promise<void> => {
      for (;;) {
        await wait(PROGRESS_MS, undefined, { signal: over.signal });
        const answer = await client.query({
          query: PROGRESS,
          query_params: { query_id: queryId },
          format: 'JSONEachRow',
          clickhouse_settings: settings,
          query_id: newQueryId(),
          abort_signal: over.signal,
        });
        const [row] = await answer.json<{ read: string; total: string }>();
        const [readRows, totalRows] = [Number(row?.read), Number(row?.total)];
        if (!over.signal.aborted && totalRows > 0) onProgress!({ readRows: Math.min(readRows, totalRows), totalRows });
      }
    };
    // An error means that the query has ended, or that the user may not read its progress. Neither affects the answer.
    if (onProgress !== undefined) follow().catch(() => {});
    return over;
  }
}

/** `values`, in as many parts as their trace ids need. */
function* inParts(values: Readonly<Record<string, SqlValue>>): Iterable<Readonly<Record<string, SqlValue>>> {
  const traceIds = values['trace_ids'] as readonly string[] | undefined;
  if (traceIds === undefined || traceIds.length <= MAX_TRACE_IDS) {
    yield values;
    return;
  }
  for (let index = 0; index < traceIds.length; index += MAX_TRACE_IDS) {
    yield { ...values, trace_ids: traceIds.slice(index, index + MAX_TRACE_IDS) };
  }
}

function filterValues({ service, workflow, session, outcome }: ConversationFilters): Record<string, string | null> {
  return {
    service: service ?? null,
    workflow: workflow ?? null,
    session: session ?? null,
    outcome: outcome ?? null,
  };
}

function boundValues(
  values: Readonly<Record<string, SqlValue>>,
  probabilities: readonly number[],
  reachNano: bigint,
): Record<string, unknown> {
  const bound: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) bound[name] = typeof value === 'bigint' ? String(value) : value;
  const { since_ns: since, until_ns: until } = values;
  if (typeof since === 'bigint' && typeof until === 'bigint') {
    bound['since'] = secondsText(since);
    bound['until'] = secondsText(until);
    bound['reach_since'] = secondsText(since - reachNano);
    bound['reach_until'] = secondsText(until + reachNano);
  }
  probabilities.forEach((probability, index) => (bound[`probability_${index}`] = probability));
  if (values['trace_id'] !== undefined) bound['trace_ids'] = [values['trace_id']];
  if (values['conversation_id'] !== undefined) {
    bound['derived_trace_id'] = traceIdOf(values['conversation_id'] as string);
  }
  return bound;
}

/** Formats a time so that it does not depend on the server's time zone. */
function secondsText(nano: bigint): string {
  const unixNano = nano < EARLIEST_UNIX_NANO ? EARLIEST_UNIX_NANO : nano < LATEST_NANO ? nano : LATEST_NANO;
  return `${unixNano / NANO_PER_SECOND}.${String(unixNano % NANO_PER_SECOND).padStart(9, '0')}`;
}
