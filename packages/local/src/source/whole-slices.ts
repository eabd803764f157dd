import type { SqlRow, SqlValue, StatementName } from '@convotel/query/engine';
import { TOO_LONG_NANO } from '@convotel/query/engine';
import type { DuckDBConnection } from '@duckdb/node-api';
import { sqlFile } from '../store/database.ts';
import { LAST_ARRIVAL, SPANS_PER_SLICE } from '../store/look-ups.ts';
import { readItems, readRows, runWith, valuesIn } from './parameters.ts';
import type { StoreSize } from './shown-spans.ts';

/** The parameters of a window. */
interface Bounds {
  since_ns: bigint;
  until_ns: bigint;
}

/** Consecutive slices, both ends included. */
interface SliceRun {
  first: number;
  last: number;
  spans: number;
}

type SliceSize = readonly [slice: number, spans: number];

/** What is read from the summaries. */
interface FoundSlices {
  runs: readonly SliceRun[];
  isLargePart: boolean;
  /** Spans from this number on are in no summary. */
  summedUntil: number;
}

/** Each run adds a scan of the spans before it. */
const MAX_RUNS = 3;

/** Of fewer slices, reading the spans themselves takes no longer. */
const MIN_SLICES = 3;

/** The statements about conversations that look at all of their spans, wherever they start. */
const OF_CONVERSATIONS: ReadonlySet<StatementName> = new Set([
  'conversation-counts',
  'largest-conversations',
  'response-statistics',
]);

/** In `common-errors.sql`, what selects the failures that have everything in common. */
const FAILED = /(?<=^WITH failed AS \()[^]*?(?=^\),)/m;

/** From this part of the store on, looking through all other spans takes less time than finding the few that are needed. */
const LARGE_PART = 0.5;

/**
 * The slices of which all spans start in a window, and of which none was deleted since they were summed up: what their
 * summaries say stands for their spans.
 */
export class WholeSlices {
  readonly #connection: DuckDBConnection;
  readonly #window: Bounds;
  readonly #runs: readonly SliceRun[];
  readonly #isLargePart: boolean;
  readonly #summedUntil: number;
  readonly #made = new Set<string>();
  #coverage: readonly SqlRow[] | undefined;

  private constructor(connection: DuckDBConnection, window: Bounds, { runs, isLargePart, summedUntil }: FoundSlices) {
    this.#connection = connection;
    this.#window = window;
    this.#runs = runs;
    this.#isLargePart = isLargePart;
    this.#summedUntil = summedUntil;
  }

  /** Undefined where there are too few to be worth it. */
  static async find(
    connection: DuckDBConnection,
    window: Bounds,
    { spans: stored, summedUntil }: StoreSize,
  ): Promise<WholeSlices | undefined> {
    const summaries = (await readRows(connection, sqlFile('summed-slices'))) as [number, number, bigint, bigint][];
    const within = summaries
      .filter(([, , oldestNs, newestNs]) => oldestNs >= window.since_ns && newestNs < window.until_ns)
      .map(([slice, spans]): SliceSize => [slice, spans]);
    if (within.length < MIN_SLICES) return undefined;
    let runs = longestRuns(within);
    // Spans are only ever deleted, so if as many are left in all, none is missing in any.
    const summed = summaries.reduce((sum, [, spans]) => sum + spans, 0);
    const isComplete =
      summed + (await countFrom(connection, summedUntil)) === stored ||
      (await countSpans(connection, window, runs)) === sumOf(runs);
    if (!isComplete) {
      const counted = await readRows(connection, sqlFile('slice-sizes'), { ...window });
      const sizes = new Map(counted.map(([slice, spans]) => [Number(slice), Number(spans)]));
      runs = longestRuns(within.filter(([slice, spans]) => sizes.get(slice) === spans));
    }
    if (runs.length === 0) return undefined;
    return new WholeSlices(connection, window, { runs, isLargePart: sumOf(runs) > stored * LARGE_PART, summedUntil });
  }

  /** Whether summaries may answer `name`. @param isPlain - Whether steps are neither grouped nor folded. */
  static mayAnswer(name: StatementName, values: Readonly<Record<string, SqlValue>>, isPlain: boolean): boolean {
    if (name === 'step-statistics' || name === 'step-timings') {
      return isPlain && values['too_long_ns'] === TOO_LONG_NANO;
    }
    if (name === 'coverage' || name === 'extent' || name === 'common-errors') return true;
    return isPlain && OF_CONVERSATIONS.has(name);
  }

  /** Whether these do. */
  canAnswer(name: StatementName): boolean {
    // Where nothing else asks for the conversations, the extent alone is found faster in the spans themselves.
    if (name === 'extent') return this.#coverage !== undefined;
    return this.#isLargePart || !OF_CONVERSATIONS.has(name);
  }

  /** The rows of the statement `name` for the window; of `step-statistics` what is to be added up. */
  async rows(name: StatementName, values: Readonly<Record<string, SqlValue>>): Promise<readonly SqlRow[]> {
    if (name === 'coverage' || name === 'extent') {
      this.#coverage ??= await this.#read(sqlFile('summed-coverage'), values);
      return this.#coverage;
    }
    // As tables, because DuckDB takes them for larger than they are, and would join the other way round.
    if (OF_CONVERSATIONS.has(name)) await this.#make('scattered_conversations');
    // Read once more for the ends of intervals.
    if (name === 'response-statistics') await this.#make('response_latencies');
    if (name === 'common-errors') {
      const summed = sqlFile(name).replace(FAILED, () => sqlFile('summed-failed'));
      return this.#read(summed, values);
    }
    return this.#read(sqlFile(`summed-${name}`), values);
  }

  async #read(text: string, values: Readonly<Record<string, SqlValue>>): Promise<SqlRow[]> {
    const sql = this.#overSlices(text);
    return readItems(await runWith(this.#connection, sql, valuesIn(sql, values)), (row) => ({ ...row }));
  }

  /** Makes the temporary table of `sql/`, unless it has been made. */
  async #make(table: string): Promise<void> {
    if (this.#made.has(table)) return;
    this.#made.add(table);
    const select = this.#overSlices(sqlFile(table.replaceAll('_', '-')));
    const sql = `CREATE OR REPLACE TEMP TABLE ${table} AS ${select}`;
    await runWith(this.#connection, sql, { ...this.#window, unsummed_from: BigInt(this.#summedUntil) });
  }

  /** The text of a statement, with what stands for the slices and for all other spans. */
  #overSlices(sql: string): string {
    const isWhole = this.#runs.map(({ first, last }) => `slice BETWEEN ${first} AND ${last}`).join(' OR ');
    return sql
      .replaceAll(
        /\bFROM summed_conversations\b/g,
        () => `FROM (${sqlFile('summed-conversations')}) AS summed_conversations`,
      )
      .replaceAll(/\bFROM rest_spans\b/g, () => `FROM (${this.#restSql()}) AS rest_spans`)
      .replaceAll(/\b(WHERE|AND) whole_slices\b/g, (_words, before: string) => `${before} (${isWhole})`);
  }

  /** A scan for each gap: of conditions with OR, DuckDB skips no row group. */
  #restSql(): string {
    const starts = this.#runs.map(({ first }) => first * SPANS_PER_SLICE);
    const ends = this.#runs.map(({ last }) => (last + 1) * SPANS_PER_SLICE);
    return [0, ...ends]
      .map((from, index) => ({ from, until: starts[index] ?? LAST_ARRIVAL + 1 }))
      .filter(({ from, until }) => from < until)
      .map(({ from, until }) => `SELECT * FROM main.spans WHERE arrival >= ${from} AND arrival < ${until}`)
      .join(' UNION ALL ');
  }
}

/** The longest runs of consecutive slices, in order. */
function longestRuns(slices: readonly SliceSize[]): SliceRun[] {
  const runs: SliceRun[] = [];
  for (const [slice, spans] of slices) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === slice - 1) {
      run.last = slice;
      run.spans += spans;
    } else {
      runs.push({ first: slice, last: slice, spans });
    }
  }
  const longest = runs.toSorted((a, b) => b.spans - a.spans).slice(0, MAX_RUNS);
  return longest.toSorted((a, b) => a.first - b.first);
}

function sumOf(runs: readonly SliceRun[]): number {
  return runs.reduce((sum, { spans }) => sum + spans, 0);
}

/** How many spans are stored from number `arrival` on. */
async function countFrom(connection: DuckDBConnection, arrival: number): Promise<number> {
  const [[spans] = []] = await readRows(connection, `SELECT count(*) FROM main.spans WHERE arrival >= ${arrival}`);
  return Number(spans);
}

/** How many spans of `runs` are stored and start in the window. */
async function countSpans(connection: DuckDBConnection, window: Bounds, runs: readonly SliceRun[]): Promise<number> {
  const counts = runs.map(
    ({ first, last }) => `(SELECT count(*) FROM main.spans WHERE start_ns >= $since_ns AND start_ns < $until_ns
      AND arrival >= ${first * SPANS_PER_SLICE} AND arrival < ${(last + 1) * SPANS_PER_SLICE})`,
  );
  const [[spans] = []] = await readRows(connection, `SELECT ${counts.join(' + ')}`, { ...window });
  return Number(spans);
}
