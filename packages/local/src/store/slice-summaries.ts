import type { DuckDBConnection } from '@duckdb/node-api';
import { sqlFile } from './database.ts';
import { SPANS_PER_SLICE } from './look-ups.ts';

/** The tables that say what whole slices held. */
const SUMMARY_TABLES = [
  'slice_summaries',
  'slice_conversations',
  'slice_steps',
  'slice_failures',
  'slice_timings',
] as const;

/** Up to which number of arrival the tables tell; `database` is one of the attached, with a dot, or empty. */
export async function findSummedUpUntil(connection: DuckDBConnection, database = ''): Promise<number> {
  const sql = `SELECT max(slice) FROM ${database}slice_summaries`;
  const [[last] = []] = (await connection.runAndReadAll(sql)).getRows();
  return last == null ? 0 : (Number(last) + 1) * SPANS_PER_SLICE;
}

/** As many spans are summed up together: planning the statements takes longer than running them on one slice. */
const SPANS_AT_ONCE = 4 * SPANS_PER_SLICE;

/** Most that are summed up in one go: a store of an older version has many that are not yet. */
const MAX_SPANS = 32 * SPANS_PER_SLICE;

/**
 * Sums up the slices from `summedUpUntil` on that are whole at `nextArrival`, four at a time and at most 32, as part of the
 * connection's transaction. Returns the number up to which spans are summed up now; no more may be added before it.
 */
export async function sumUpWholeSlices(
  connection: DuckDBConnection,
  summedUpUntil: number,
  nextArrival: number,
  database = '',
): Promise<number> {
  const whole = Math.floor(nextArrival / SPANS_AT_ONCE) * SPANS_AT_ONCE;
  const until = Math.min(whole, summedUpUntil + MAX_SPANS);
  if (until <= summedUpUntil) return summedUpUntil;
  const spans = `(SELECT * FROM ${database}spans WHERE arrival >= ${summedUpUntil} AND arrival < ${until})`;
  for (const table of SUMMARY_TABLES) {
    const select = sqlFile(table.replaceAll('_', '-'))
      .replaceAll('spans_to_sum_up', () => spans)
      .replaceAll('known_conversations', () => `${database}slice_conversations`);
    await connection.run(`INSERT INTO ${database}${table} ${select}`);
  }
  return until;
}
