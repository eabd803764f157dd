import type { ConversationFilters, SpanRecord, Window } from '@convotel/query';
import { windowValues } from '@convotel/query/engine';
import type {
  DurationsTable,
  FoldedNames,
  RowReaders,
  SpanStatementName,
  SqlRow,
  SqlStore,
  SqlValue,
  StatementName,
  StepDurationsAsked,
} from '@convotel/query/engine';
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { idNumber, traceIdHex } from '../store/columns.ts';
import { rawPartsOf } from '../store/column-reader.ts';
import { SPANS_PER_SLICE } from '../store/look-ups.ts';
import { readSpans } from '../store/span-rows.ts';
import { sqlFile } from '../store/database.ts';
import { addUpSteps } from './alike-steps.ts';
import { durationsTable } from './durations-table.ts';
import { SpanSums } from './span-sums.ts';
import { readItems, readRows, runWith, streamWith, valuesIn } from './parameters.ts';
import { ShownSpans, type StoreSize, readStoreSize } from './shown-spans.ts';
import { WholeSlices } from './whole-slices.ts';

/** The statements of `sql/` on one connection, within the transaction that is open on it. */
export class DuckDbStore implements SqlStore {
  /** A trace id is a number of 128 bits in DuckDB. */
  readonly readers: RowReaders = {
    traceKey: idNumber,
    traceId: (key) => traceIdHex(key as bigint),
  };
  readonly isFiltered: boolean;
  /** Of a row group, which DuckDB cannot read a part of, this is a twelfth. */
  readonly spansSearchedEasily = 10_000;
  readonly #connection: DuckDBConnection;
  readonly #shown: ShownSpans;
  readonly #size: StoreSize;
  /** Whether steps are neither grouped nor folded. */
  #isPlain = true;
  #stepNames: ReadonlyMap<number, string> | undefined;
  /** Of the step that the question is about. */
  #stepId: number | undefined;
  /** Of the last window. */
  #wholeSlices: { key: string; found: WholeSlices | undefined } | undefined;

  private constructor(connection: DuckDBConnection, isFiltered: boolean, shown: ShownSpans, size: StoreSize) {
    this.#connection = connection;
    this.isFiltered = isFiltered;
    this.#shown = shown;
    this.#size = size;
  }

  /** Restricts the statements to the conversations that match `filters`, whole. */
  static async open(connection: DuckDBConnection, filters: ConversationFilters = {}): Promise<DuckDbStore> {
    const isFiltered = Object.values(filters).some((filter) => filter !== undefined);
    const size = await readStoreSize(connection);
    return new DuckDbStore(connection, isFiltered, await ShownSpans.open(connection, filters, size), size);
  }

  async startOfNewest(window: Window | undefined, count: number): Promise<bigint | undefined> {
    const { since_ns, until_ns } = windowValues(window);
    const extent = await this.#roughExtent({ since_ns, until_ns });
    if (extent === undefined || extent.spans <= count) return undefined;
    const { spans, oldestNs, newestNs } = extent;
    let width = ((newestNs - oldestNs) * BigInt(count)) / BigInt(spans) + 1n;
    for (;;) {
      const start = newestNs - width;
      if (start <= oldestNs) return undefined;
      // DuckDB knows without reading which row groups begin later.
      const sql = 'SELECT count(*) FROM main.spans WHERE start_ns >= $start_ns AND start_ns < $until_ns';
      const [[counted] = []] = await readRows(this.#connection, sql, { start_ns: start, until_ns });
      if (Number(counted) >= count) return start;
      width *= 2n;
    }
  }

  /** How many spans are in the window, and their first and last start; all three may be larger. */
  async #roughExtent(
    window: Record<'since_ns' | 'until_ns', bigint>,
  ): Promise<{ spans: number; oldestNs: bigint; newestNs: bigint } | undefined> {
    const { lookedUpUntil, summedUntil } = this.#size;
    const sql = sqlFile(lookedUpUntil === undefined ? 'rough-extent' : 'summed-extent');
    const values = { ...window, ...(lookedUpUntil !== undefined && { unsummed_from: BigInt(summedUntil) }) };
    const [row] = await readRows(this.#connection, sql, values);
    const [spans, oldestNs, newestNs] = row as [bigint | null, bigint | null, bigint | null];
    return oldestNs === null ? undefined : { spans: Number(spans), oldestNs, newestNs: newestNs! };
  }

  async foldStepNames({
    window,
    maxNames,
    other,
    wholeConversations,
  }: Parameters<SqlStore['foldStepNames']>[0]): Promise<FoldedNames | undefined> {
    // Few stores have that many names at all.
    if (this.#size.steps <= maxNames) return undefined;
    const values = {
      ...windowValues(window),
      whole_conversations: wholeConversations,
      other,
      row_limit: BigInt(maxNames),
    };
    await this.#shown.narrow('step-names', values);
    const rows = await (await this.#run(sqlFile('step-names'), values)).getRowObjects();
    const folded = Number(rows[0]?.['names'] ?? 0) - rows.length;
    if (folded <= 0) return undefined;
    const keptIds = rows.map((row) => row['step_id'] as number);
    this.#isPlain = false;
    this.#stepNames = undefined;
    await this.#shown.fold(keptIds, other);
    return { kept: new Set(rows.map((row) => row['step'] as string)), folded };
  }

  groupSpans({ window, groupBy }: Parameters<SqlStore['groupSpans']>[0]): Promise<void> {
    this.#isPlain = false;
    return this.#shown.group(window, groupBy);
  }

  rows(name: StatementName, values: Readonly<Record<string, SqlValue>>): Promise<SqlRow[]>;
  rows<Item>(
    name: StatementName,
    values: Readonly<Record<string, SqlValue>>,
    read: (row: SqlRow) => Item,
  ): Promise<Item[]>;
  async rows(
    name: StatementName,
    asked: Readonly<Record<string, SqlValue>>,
    read: (row: SqlRow) => unknown = (row) => ({ ...row }),
  ): Promise<unknown[]> {
    const values = await this.#withStepId(asked);
    if (values['step_id'] === NO_STEP_ID) return [];
    if (name === 'sampled-programs' && this.#size.sampledResources === 0) return [];
    const summed = await (await this.#wholeSlicesFor(name, values))?.rows(name, values);
    if (summed !== undefined) {
      return (name === 'step-statistics' ? addUpSteps(summed, await this.#readStepNames()) : summed).map(read);
    }
    const recent = name === 'newest-first-starts' ? await this.#recentFirstStarts(values) : undefined;
    if (recent !== undefined) return recent.map(read);
    if (name === 'step-retries' && !(await this.#hasLaterAttempts(values))) return [];
    await this.#shown.narrow(name, values);
    const sql = await this.#sqlFor(name, values);
    const result = await this.#run(sql, valuesIn(sql, values));
    const traceIds: unknown[] = [];
    const items = await readItems(result, (row) => {
      traceIds.push(row['trace_id']);
      return read(row);
    });
    this.#shown.keepWhole(name, traceIds);
    return items;
  }

  /** The statement, or another one for the same rows that takes a fraction of the time. */
  async #sqlFor(name: StatementName, values: Readonly<Record<string, SqlValue>>): Promise<string> {
    if (name !== 'model-usage' || values['by'] !== '') return sqlFile(name);
    const counted = await this.#spansOfStarting(values);
    return sqlFile('window-model-usage').replace('FROM counted_spans', () => `FROM (${counted}) AS counted_spans`);
  }

  /** The spans of the conversations that start in the window: those in it, except where conversations cross an end of it. */
  async #spansOfStarting(values: Readonly<Record<string, SqlValue>>): Promise<string> {
    const crossing = sqlFile('crossing-conversations');
    const made = await this.#run(`CREATE OR REPLACE TEMP TABLE crossing_conversations AS ${crossing}`, {
      since_ns: values['since_ns']!,
      until_ns: values['until_ns']!,
    });
    const [[count] = []] = await made.getRows();
    const within = 'start_ns >= $since_ns AND start_ns < $until_ns';
    if (Number(count) === 0) return `SELECT * FROM readable_spans WHERE ${within}`;
    return `SELECT * FROM readable_spans ANTI JOIN crossing_conversations USING (trace_id) WHERE ${within}
      UNION ALL
      SELECT * FROM readable_spans
      WHERE trace_id IN (SELECT trace_id FROM crossing_conversations WHERE starts_within)`;
  }

  /**
   * The rows of `newest-first-starts`, unless one of their conversations has a root or step before the window. They are
   * found among the spans since then, and only that nothing is earlier is looked up.
   */
  async #recentFirstStarts(values: Readonly<Record<string, SqlValue>>): Promise<SqlRow[] | undefined> {
    const { lookedUpUntil } = this.#size;
    // What starts after the window would all be grouped.
    if (await this.#hasSpansFrom(values['until_ns'] as bigint)) await this.#shown.narrow('newest-first-starts', values);
    else await this.#shown.widen();
    // Most conversations that take long began in the slice before the spans that are in no look-up.
    const searched_from =
      lookedUpUntil === undefined || this.#shown.isNarrow ? null : Math.max(0, lookedUpUntil - SPANS_PER_SLICE);
    const asked = { ...values, searched_from };
    const names = await this.#readStepNames();
    const found: SqlRow[] = [];
    const slices = new Set<number>();
    let isEarlier = false;
    await readItems(await this.#run(sqlFile('recent-first-starts'), asked), (row) => {
      const { trace_id, is_earlier, slice, ...starts } = row as unknown as RecentConversation;
      if (is_earlier) isEarlier = true;
      else if (trace_id === null) slices.add(slice);
      else for (const [step, offset_ns] of firstOffsets(starts, names)) found.push({ trace_id, step, offset_ns });
    });
    return isEarlier || (await this.#hasEarlierSpans(slices, asked)) ? undefined : found;
  }

  async #hasSpansFrom(since_ns: bigint): Promise<boolean> {
    const sql = 'SELECT count(*) > 0 FROM main.spans WHERE start_ns >= $since_ns';
    return (await readRows(this.#connection, sql, { since_ns }))[0]![0] as boolean;
  }

  /** The names of the steps as they are shown, by number. */
  async #readStepNames(): Promise<ReadonlyMap<number, string>> {
    const sql = 'SELECT step_id, step FROM steps';
    this.#stepNames ??= new Map((await readRows(this.#connection, sql)) as [number, string][]);
    return this.#stepNames;
  }

  /** Whether one of the conversations of `recent-first-starts` has a root or step before the window in `slices`. */
  async #hasEarlierSpans(slices: ReadonlySet<number>, values: Readonly<Record<string, SqlValue>>): Promise<boolean> {
    if (slices.size === 0) return false;
    // As a table, because binding hundreds of trace ids takes longer than finding them.
    await this.#run(`CREATE OR REPLACE TEMP TABLE recent_first_starts AS ${sqlFile('recent-first-starts')}`, values);
    await this.#shown.narrowToSlices([...slices].toSorted((a, b) => a - b));
    return (await readRows(this.#connection, sqlFile('earlier-spans'), { since_ns: values['since_ns']! })).length > 0;
  }

  async spans(name: SpanStatementName, values: Readonly<Record<string, SqlValue>>): Promise<SpanRecord[]> {
    await this.#shown.narrow(name, values);
    return readSpans(await this.#run(sqlFile(name), values));
  }

  #run(sql: string, values: Readonly<Record<string, SqlValue>>): Promise<DuckDBResult> {
    return runWith(this.#connection, sql, values);
  }

  /** With the number of the step instead of its name: DuckDB compares a number while it scans, and a subquery afterwards. */
  async #withStepId({ step, ...others }: Readonly<Record<string, SqlValue>>): Promise<Record<string, SqlValue>> {
    if (step === undefined || step === null) return { ...others, step_id: null };
    const sql = 'SELECT step_id FROM steps WHERE step = $step';
    this.#stepId ??= (await readRows(this.#connection, sql, { step }))[0]?.[0] as number | undefined;
    return { ...others, step_id: this.#stepId ?? NO_STEP_ID };
  }

  /** Whether there is a later attempt among the spans that are shown. */
  async #hasLaterAttempts({ since_ns }: Readonly<Record<string, SqlValue>>): Promise<boolean> {
    if (!this.#size.hasLaterAttempts) return false;
    return (await readRows(this.#connection, sqlFile('later-attempts'), { since_ns: since_ns! })).length > 0;
  }

  /** The slices whose summaries answer the statement; undefined where all spans are to be read. */
  async #wholeSlicesFor(
    name: StatementName,
    values: Readonly<Record<string, SqlValue>>,
  ): Promise<WholeSlices | undefined> {
    if (this.isFiltered || !WholeSlices.mayAnswer(name, values, this.#isPlain)) return undefined;
    const window = { since_ns: values['since_ns'] as bigint, until_ns: values['until_ns'] as bigint };
    const key = `${window.since_ns} ${window.until_ns}`;
    if (this.#wholeSlices?.key !== key) {
      this.#wholeSlices = { key, found: await WholeSlices.find(this.#connection, window, this.#size) };
    }
    const { found } = this.#wholeSlices;
    return found?.canAnswer(name) ? found : undefined;
  }

  /** The spans in the window first, then those outside of it, of which only the ones of the same conversations count. */
  async stepDurations(asked: StepDurationsAsked): Promise<DurationsTable> {
    const { since_ns: since, until_ns: until } = windowValues(asked.window);
    const { since_ns: earliest, until_ns: latest } = windowValues(undefined);
    await this.#shown.narrow('step-spans', { since_ns: since, until_ns: until });
    const sums = new SpanSums(asked);
    const add = async (since_ns: bigint, until_ns: bigint, isWithin: boolean): Promise<void> => {
      const result = await streamWith(this.#connection, sqlFile('step-spans'), { since_ns, until_ns });
      for await (const part of rawPartsOf(result)) sums.add(part, isWithin);
    };
    await add(since, until, true);
    await add(earliest, since, false);
    await add(until, latest, false);
    const names = await this.#readStepNames();
    return durationsTable(sums, (stepId) => names.get(stepId)!);
  }
}

/** The starts of the steps and roots of a conversation. */
interface Starts {
  first_ns: bigint;
  step_ids: readonly number[];
  starts_ns: readonly bigint[];
}

/** A row of `recent-first-starts.sql`. */
interface RecentConversation extends Starts {
  trace_id: bigint | null;
  is_earlier: boolean;
  slice: number;
}

/** When each step first starts after the conversation, by name; roots as null. */
function firstOffsets(
  { first_ns: firstNs, step_ids: stepIds, starts_ns: startsNs }: Starts,
  names: ReadonlyMap<number, string>,
): Map<string | null, bigint> {
  const offsets = new Map<string | null, bigint>();
  for (const [index, stepId] of stepIds.entries()) {
    const name = names.get(stepId) ?? null;
    const offset = startsNs[index]! - firstNs;
    const known = offsets.get(name);
    if (known === undefined || offset < known) offsets.set(name, offset);
  }
  return offsets;
}

/** Of a step that no span has. */
const NO_STEP_ID = -1;
