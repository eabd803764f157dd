import { randomUUID } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import { traceIdOf } from '@convotel/conventions';
import { windowValues } from '../../engines/sql/sql-store.ts';
import type { FoldedNames, SqlRow, SqlStore, SqlValue, StatementName } from '../../engines/sql/sql-store.ts';
import type { ConversationFilters } from '../../model/window.ts';
import { readColumns, readRows } from './result-rows.ts';
import type { CompactAnswer } from './result-rows.ts';
import { CLICKHOUSE_READERS } from './span-row.ts';
import { statementText } from './statements.ts';
import type { ClickHouseStatement, TableKind } from './statements.ts';

/** Most trace ids that one query is given: the server bounds the length of a parameter. */
const MAX_TRACE_IDS = 2_000;

const NANO_PER_SECOND = 1_000_000_000n;

/** ClickHouse keeps hours and days in fewer bits than nanoseconds; later times would come before earlier ones. */
const LATEST_NANO = BigInt(Date.UTC(2106, 0, 1)) * 1_000_000n;

/** A connection, and what every query of it has in common. */
export interface ClickHouseConnection {
  client: ClickHouseClient;
  table: string;
  kind: TableKind;
  settings: Readonly<Record<string, string | number>>;
  /** Ends whatever is running. */
  signal: AbortSignal;
}

/** The statements of `sql/` on one table, which sees only the conversations that `filters` choose. */
export class ClickHouseStore implements SqlStore {
  readonly readers = CLICKHOUSE_READERS;
  readonly isFiltered: boolean;
  readonly #connection: ClickHouseConnection;
  readonly #filters: ConversationFilters;
  #groups: { group_attribute: string; group_values: readonly string[] } | undefined;
  #fold: { kept_steps: readonly string[]; other_step: string } | undefined;

  constructor(connection: ClickHouseConnection, filters: ConversationFilters = {}) {
    this.#connection = connection;
    this.#filters = filters;
    this.isFiltered = Object.values(filters).some((filter) => filter !== undefined);
  }

  async foldStepNames({
    window,
    maxNames,
    other,
    wholeConversations,
  }: Parameters<SqlStore['foldStepNames']>[0]): Promise<FoldedNames | undefined> {
    const values = { whole_conversations: wholeConversations, other_step: other, row_limit: maxNames };
    const rows = readRows(await this.#ask('step-names', { ...windowValues(window), ...values }));
    const folded = Number(rows[0]?.['names'] ?? 0) - rows.length;
    if (folded <= 0) return undefined;
    const kept = rows.map((row) => row['step'] as string);
    this.#fold = { kept_steps: kept, other_step: other };
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
    const traceIds = values['trace_ids'] as readonly string[] | undefined;
    if (traceIds === undefined || traceIds.length <= MAX_TRACE_IDS) {
      return readRows(await this.#ask(name, values)).map(read);
    }
    const items: unknown[] = [];
    for (let index = 0; index < traceIds.length; index += MAX_TRACE_IDS) {
      const some = { ...values, trace_ids: traceIds.slice(index, index + MAX_TRACE_IDS) };
      for (const row of readRows(await this.#ask(name, some))) items.push(read(row));
    }
    return items;
  }

  async columns(
    name: StatementName,
    values: Readonly<Record<string, SqlValue>>,
  ): Promise<Readonly<Record<string, readonly unknown[]>>> {
    return readColumns(await this.#ask(name, values));
  }

  async #ask(name: ClickHouseStatement, values: Readonly<Record<string, SqlValue>>): Promise<CompactAnswer> {
    const { client, table, kind, settings, signal } = this.#connection;
    const { probabilities = [], ...others } = values;
    const shape = {
      kind,
      isFiltered: this.isFiltered,
      isFolded: this.#fold !== undefined,
      isGrouped: this.#groups !== undefined,
      probabilityCount: (probabilities as readonly number[]).length,
    };
    const answer = await client.query({
      query: statementText(name, shape),
      query_params: {
        table,
        ...this.#fold,
        ...this.#groups,
        ...filterValues(this.#filters),
        ...boundValues(others, probabilities as number[]),
      },
      // A list of trace ids would not fit into a URL.
      use_multipart_params: true,
      format: 'JSONCompactEachRowWithNamesAndTypes',
      clickhouse_settings: settings,
      query_id: `convotel-${randomUUID()}`,
      abort_signal: signal,
    });
    return (await answer.json()) as CompactAnswer;
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
): Record<string, unknown> {
  const bound: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) bound[name] = typeof value === 'bigint' ? String(value) : value;
  for (const edge of ['since', 'until']) {
    const nano = values[`${edge}_ns`];
    if (typeof nano === 'bigint') bound[edge] = secondsText(nano < LATEST_NANO ? nano : LATEST_NANO);
  }
  probabilities.forEach((probability, index) => (bound[`probability_${index}`] = probability));
  if (values['trace_id'] !== undefined) bound['trace_ids'] = [values['trace_id']];
  if (values['conversation_id'] !== undefined) {
    bound['derived_trace_id'] = traceIdOf(values['conversation_id'] as string);
  }
  return bound;
}

/** A time that is read the same whatever zone the server is in. */
function secondsText(unixNano: bigint): string {
  return `${unixNano / NANO_PER_SECOND}.${String(unixNano % NANO_PER_SECOND).padStart(9, '0')}`;
}
