import { createHash } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import { hexWord } from './columns.ts';
import { sqlFile } from './database.ts';
import { changeUpkeepRow } from './upkeep-row.ts';

/*
 * Rows lie in the file in the order in which they arrive, and each has its number in it. The tables of look-ups say in
 * which slices of 2^14 numbers the spans of a trace, of a session and of some conversation ids are: by its column
 * `arrival`, DuckDB skips all row groups that hold none of them. The newest spans, less than a slice, are in no table yet.
 */

/** The tables of look-ups. */
export const LOOK_UP_TABLES = ['trace_look_ups', 'text_look_ups'] as const;

/** SQL that selects what a table of look-ups says of the spans in `from`, a table or a subquery. */
export function lookUpsOf(table: (typeof LOOK_UP_TABLES)[number], from: string): string {
  return sqlFile(table.replaceAll('_', '-')).replaceAll('spans_to_look_up', () => from);
}

/** What a key of `text_look_ups` stands for. */
export type LookUpKind = 'session' | 'conversation';

/** The key of a text, which the database works out alike. */
export function textKey(kind: LookUpKind, text: string): number {
  return createHash('sha256').update(`${kind}:${text}`).digest().readUIntBE(0, 6);
}

/** The key of a trace: its lowest 48 bits, which every scheme of ids fills at random. */
export function traceKey(traceId: string): number {
  return (hexWord(traceId, 16) & 0xffff) * 2 ** 32 + hexWord(traceId, 24);
}

/** As many consecutive numbers of arrival are one slice. */
export const SPANS_PER_SLICE = 2 ** 14;

/**
 * Brings the tables of look-ups up to the last whole slice before `nextArrival`, as part of the connection's transaction.
 * Returns up to which number.
 */
export async function lookUpWholeSlices(
  connection: DuckDBConnection,
  lookedUpUntil: number,
  nextArrival: number,
): Promise<number> {
  const until = Math.floor(nextArrival / SPANS_PER_SLICE) * SPANS_PER_SLICE;
  if (until <= lookedUpUntil) return lookedUpUntil;
  const spans = `(SELECT * FROM spans WHERE arrival >= ${lookedUpUntil} AND arrival < ${until})`;
  for (const table of LOOK_UP_TABLES) await connection.run(`INSERT INTO ${table} ${lookUpsOf(table, spans)}`);
  await changeUpkeepRow(connection, () => ({ looked_up_until: until }));
  return until;
}

/** Consecutive numbers of arrival, both ends included. */
export interface ArrivalRange {
  first: number;
  last: number;
}

/** Each range is a scan of its own, which takes a millisecond to plan. */
const MAX_RANGES = 4;

/** The number that no span exceeds. */
export const LAST_ARRIVAL = 2 ** 32 - 1;

/**
 * The ranges that cover `slices`, which ascend, and all spans from `lookedUpUntil` on: at most four besides the latter, by
 * closing the shortest gaps.
 */
export function rangesOf(slices: readonly number[], lookedUpUntil: number): ArrivalRange[] {
  const gapBefore = (index: number): number => slices[index]! - slices[index - 1]!;
  const afterGap = [...slices.keys()].slice(1).filter((index) => gapBefore(index) > 1);
  const kept = afterGap.toSorted((a, b) => gapBefore(b) - gapBefore(a)).slice(0, MAX_RANGES - 1);
  const starts = slices.length === 0 ? [] : [0, ...kept.toSorted((a, b) => a - b)];
  const ranges = starts.map((start, index) => ({
    first: slices[start]! * SPANS_PER_SLICE,
    last: (slices[(starts[index + 1] ?? slices.length) - 1]! + 1) * SPANS_PER_SLICE - 1,
  }));
  const last = ranges.at(-1);
  if (last !== undefined && last.last >= lookedUpUntil - 1) last.last = LAST_ARRIVAL;
  else ranges.push({ first: lookedUpUntil, last: LAST_ARRIVAL });
  return ranges;
}
