import type { ConversationFilters, GroupBy, Window } from '@convotel/query';
import { windowValues } from '@convotel/query/engine';
import type { SqlValue, StatementName } from '@convotel/query/engine';
import { type DuckDBConnection, LIST, UINTEGER, listValue } from '@duckdb/node-api';
import { ROWS_PER_GROUP, sqlFile } from '../store/database.ts';
import { traceIdHex } from '../store/columns.ts';
import { type ArrivalRange, rangesOf, SPANS_PER_SLICE, textKey, traceKey } from '../store/look-ups.ts';
import { type Grouping, prepareGroups } from './grouping.ts';
import { readRows, runWith } from './parameters.ts';

/** Which spans the statements see; each part is a temporary table that ends with the transaction. */
interface Shown {
  /** Only spans whose number is in one of these; all where there is no list. */
  ranges: readonly ArrivalRange[] | undefined;
  /** Only the conversations in `chosen`. */
  isChosen: boolean;
  /** Without it, all spans are in group 0. */
  grouping: Grouping | undefined;
  /** The steps in `kept_steps`, and all others as one. */
  isFolded: boolean;
}

/** From this part of the store on, everything is looked through: to find out where the spans are takes longer. */
const LARGE_PART = 0.2;

type ShowableStatement = StatementName | 'step-names' | 'step-spans';

/** The statements about a window that look at all spans of its conversations, wherever they start. */
const LOOKING_BEYOND: ReadonlySet<ShowableStatement> = new Set([
  'newest-conversations',
  'newest-first-starts',
  'largest-conversations',
  'conversation-counts',
  'step-spans',
  'step-names',
  'step-retries',
  'response-statistics',
  'model-usage',
  'sessions',
]);

const ALL_SPANS: Shown = { ranges: undefined, isChosen: false, grouping: undefined, isFolded: false };

/** How much is stored. */
export interface StoreSize {
  spans: number;
  /** Spans from this number on are in no look-up; undefined where there are no look-ups. */
  lookedUpUntil: number | undefined;
  /** Spans from this number on are in no summary. */
  summedUntil: number;
  hasLaterAttempts: boolean;
  steps: number;
  /** Resources with a sampling ratio. */
  sampledResources: number;
}

export async function readStoreSize(connection: DuckDBConnection): Promise<StoreSize> {
  const rows = await readRows(connection, sqlFile('store-size'));
  const sizes = new Map(rows.map(([kind, size]) => [kind, size === null ? undefined : Number(size)]));
  return {
    spans: sizes.get('spans')!,
    lookedUpUntil: sizes.get('looked_up_until'),
    summedUntil: ((sizes.get('summed_slice') ?? -1) + 1) * SPANS_PER_SLICE,
    hasLaterAttempts: sizes.get('later_attempts')! > 0,
    steps: sizes.get('steps')!,
    sampledResources: sizes.get('sampled_resources')!,
  };
}

/** Connections on which all spans are shown outside of transactions. */
const prepared = new WeakSet<DuckDBConnection>();

/** Shows all spans on a connection; to be called before the transaction begins. */
export async function showAllSpans(connection: DuckDBConnection): Promise<void> {
  if (prepared.has(connection)) return;
  await connection.run(viewsOf(ALL_SPANS));
  prepared.add(connection);
}

/**
 * The spans that the statements on one connection see, within the transaction that is open on it: the conversations that
 * the filters of a question choose, whole, grouped and folded as it asks. Before each statement they are narrowed to where
 * the spans are that it may need, so that its time does not grow with the store.
 */
export class ShownSpans {
  readonly #connection: DuckDBConnection;
  #shown = ALL_SPANS;
  #shownSql = viewsOf(ALL_SPANS);
  /** False in a store that is small or without look-ups, and where the filters have narrowed as far as can be. */
  #canNarrow = false;
  readonly #size: StoreSize;
  /** Traces of which all spans are shown, as far as is known. */
  #wholeTraces: ReadonlySet<unknown> = new Set();
  readonly #rangesByWindow = new Map<string, readonly ArrivalRange[] | undefined>();

  private constructor(connection: DuckDBConnection, size: StoreSize) {
    this.#connection = connection;
    this.#size = size;
    // A smaller store is looked through as a whole, since DuckDB cannot skip a part of a row group.
    this.#canNarrow = size.lookedUpUntil !== undefined && size.spans >= ROWS_PER_GROUP;
  }

  /** Shows the conversations that match `filters`, on a connection that {@link showAllSpans} has prepared. */
  static async open(connection: DuckDBConnection, filters: ConversationFilters, size: StoreSize): Promise<ShownSpans> {
    const shown = new ShownSpans(connection, size);
    const { service = null, workflow = null, session = null, outcome = null } = filters;
    if (session !== null && shown.#canNarrow) {
      await shown.#show({
        ranges: await shown.#rangesOf('slices-of-text', { look_up_key: BigInt(textKey('session', session)) }),
      });
      await shown.#show({ ranges: await shown.#rangesOf('slices-of-session', { session }) });
      shown.#canNarrow = false;
    }
    if ([service, workflow, session, outcome].every((filter) => filter === null)) return shown;
    await connection.run('CREATE TEMP TABLE chosen (trace_id UHUGEINT)');
    const values = { service, workflow, session, outcome };
    await runWith(connection, `INSERT INTO chosen ${sqlFile('chosen-conversations')}`, values);
    await shown.#show({ isChosen: true });
    return shown;
  }

  /** Shows at least all spans that the statement needs with these parameters. */
  async narrow(name: ShowableStatement, values: Readonly<Record<string, SqlValue>>): Promise<void> {
    if (!this.#canNarrow) return;
    const { trace_id: traceId, trace_ids: traceIds, conversation_id: conversationId } = values;
    if (traceId !== undefined) {
      const key = { look_up_key: BigInt(traceKey(traceIdHex(traceId as bigint))) };
      await this.#show({ ranges: await this.#rangesOf('slices-of-trace', key) });
    } else if (traceIds !== undefined) {
      if ((traceIds as readonly bigint[]).every((each) => this.#wholeTraces.has(each))) return;
      await this.#show({ ranges: await this.#rangesOf('slices-of-traces', { trace_ids: traceIds }) });
    } else if (conversationId !== undefined) {
      const key = { look_up_key: BigInt(textKey('conversation', conversationId as string)) };
      await this.#show({ ranges: await this.#rangesOf('slices-of-text', key) });
    } else {
      const window = { since_ns: values['since_ns'] as bigint, until_ns: values['until_ns'] as bigint };
      await this.#narrowToWindow(window, LOOKING_BEYOND.has(name));
    }
  }

  /** Whether a part of the spans is shown, because no others are needed. */
  get isNarrow(): boolean {
    return this.#shown.ranges !== undefined;
  }

  /** Shows at least the spans of `slices`, which ascend. */
  async narrowToSlices(slices: readonly number[]): Promise<void> {
    if (this.#canNarrow) await this.#show({ ranges: rangesOf(slices, this.#size.lookedUpUntil ?? 0) });
  }

  /** Shows what it did before it was narrowed. */
  async widen(): Promise<void> {
    if (this.#canNarrow) await this.#show({ ranges: undefined });
  }

  /** Remembers that `traceIds` were found in what is shown at present, where all of their spans are. */
  keepWhole(name: StatementName, traceIds: readonly unknown[]): void {
    if (this.#canNarrow && this.#shown.ranges !== undefined && LOOKING_BEYOND.has(name)) {
      this.#wholeTraces = new Set(traceIds);
    }
  }

  /** Groups the spans of the conversations with a step or root in `window`. */
  async group(window: Window, groupBy: GroupBy): Promise<void> {
    if (this.#canNarrow) await this.#narrowToWindow(windowValues(window), true);
    await this.#show({ grouping: await prepareGroups(this.#connection, window, groupBy, this.#size.spans) });
  }

  /** Shows all steps except `keptIds` as one, called `other`, in a table that shadows `steps`. */
  async fold(keptIds: readonly number[], other: string): Promise<void> {
    await foldSteps(this.#connection, keptIds, other);
    await this.#show({ isFolded: true });
  }

  /** @param isBeyond - Whether all spans of its conversations are needed, or only those that start in it. */
  async #narrowToWindow(window: { since_ns: bigint; until_ns: bigint }, isBeyond: boolean): Promise<void> {
    const name = `${window.since_ns} ${window.until_ns}`;
    if (isBeyond && !this.#rangesByWindow.has(name)) {
      this.#rangesByWindow.set(name, await this.#rangesOfWindow(window));
    }
    await this.#show({ ranges: this.#rangesByWindow.get(name) });
  }

  /** Where the spans of all conversations with a span in the window are; undefined where they are a large part of all. */
  async #rangesOfWindow(window: { since_ns: bigint; until_ns: bigint }): Promise<readonly ArrivalRange[] | undefined> {
    const sql = 'SELECT count(*) FROM main.spans WHERE start_ns >= $since_ns AND start_ns < $until_ns';
    const [[counted] = []] = await readRows(this.#connection, sql, window);
    if (Number(counted) > this.#size.spans * LARGE_PART) return undefined;
    return this.#rangesOf('slices-of-window', { ...window, spans_in_window: BigInt(counted as bigint) });
  }

  async #rangesOf(name: string, values: Readonly<Record<string, SqlValue>>): Promise<ArrivalRange[]> {
    const rows = await readRows(this.#connection, sqlFile(name), values);
    return rangesOf(
      rows.map(([slice]) => slice as number),
      this.#size.lookedUpUntil ?? 0,
    );
  }

  /**
   * Puts views in front of the spans, which are gone with the transaction: `readable_spans`, and `grouped_spans`, which
   * also has `group_id` and `attribute_value` and costs more.
   */
  async #show(more: Partial<Shown>): Promise<void> {
    this.#shown = { ...this.#shown, ...more };
    const sql = viewsOf(this.#shown);
    if (sql === this.#shownSql) return;
    await this.#connection.run(sql);
    this.#shownSql = sql;
    this.#wholeTraces = new Set();
  }
}

function viewsOf({ ranges, isChosen, grouping, isFolded }: Shown): string {
  const replaced = `REPLACE (
    CASE WHEN step_id = 0 OR step_id IN (SELECT step_id FROM kept_steps) THEN step_id
      WHEN step_id IS NOT NULL THEN ${OTHER_STEPS_ID}::UINTEGER END AS step_id
  )`;
  const columns = `spans.rowid AS row_id, spans.* ${isFolded ? replaced : ''}`;
  const conditions = ranges?.map(({ first, last }) => `arrival BETWEEN ${first} AND ${last}`) ?? ['true'];
  const chosen = isChosen ? 'AND trace_id IN (SELECT trace_id FROM chosen)' : '';
  /** A scan for each range: of conditions with OR, DuckDB skips no row group. */
  const select = (selected: string): string =>
    (conditions.length === 0 ? ['false'] : conditions)
      .map((condition) => `SELECT ${selected} FROM main.spans AS spans WHERE ${condition} ${chosen}`)
      .join(' UNION ALL ');
  const readable = `CREATE OR REPLACE TEMP VIEW readable_spans AS ${select(columns)}`;
  if (grouping === undefined) {
    return `${readable};
    CREATE OR REPLACE TEMP VIEW grouped_spans AS SELECT *, 0::UTINYINT AS group_id FROM readable_spans`;
  }
  const { own, values, groups, noGroup, joins } = grouping;
  return `${readable};
  CREATE OR REPLACE TEMP VIEW grouped_spans AS
    SELECT
      ${columns.replace('spans.*', 'spans.* EXCLUDE (own_text)')},
      coalesce(${values.map((value) => `nullif(${value}, '')`).join(', ')}) AS attribute_value,
      ${groups.reduceRight((next, group) => group(next), `${noGroup}::UTINYINT`)} AS group_id
    FROM (${select(`rowid, *, ${own} AS own_text`)}) AS spans
    ${joins.join(' ')}`;
}

/** The id of all steps that are folded into one: the largest value, which no step gets. */
const OTHER_STEPS_ID = 4_294_967_295;

/** Shadows `steps` with a table in which all steps except `keptIds` are one, called `other`. */
async function foldSteps(connection: DuckDBConnection, keptIds: readonly number[], other: string): Promise<void> {
  await connection.run(
    'CREATE TEMP TABLE kept_steps AS SELECT unnest($kept_ids) AS step_id',
    { kept_ids: listValue([...keptIds]) },
    { kept_ids: LIST(UINTEGER) },
  );
  await connection.run(
    `CREATE TEMP TABLE steps AS
    SELECT step_id, step FROM steps WHERE step_id IN (SELECT step_id FROM kept_steps)
    UNION ALL SELECT ${OTHER_STEPS_ID}::UINTEGER, $other::VARCHAR`,
    { other },
  );
}
