import type { SqlRow, StatementName } from '../../engines/sql/sql-store.ts';
import type { AnyQuestion } from '../../questions.ts';
import type { ScanPart } from './statements.ts';

/**
 * ClickHouse reads columns so fast that each further look at the spans of a window costs about as much as the first. The
 * statements of the engine that read the same spans are therefore answered from the rows of one, `step-scan.sql`, or
 * `window.sql` where there are no steps to look at.
 */
export interface SharedRows extends Record<ReadByScan, SqlRow[]> {
  coverage: SqlRow[] | undefined;
}

type ReadByScan =
  'extent' | 'sampled-programs' | 'step-statistics' | 'step-timings' | 'step-quantiles' | 'step-first-outputs';

const READ_BY_SCAN: ReadonlySet<string> = new Set<ReadByScan>([
  'extent',
  'sampled-programs',
  'step-statistics',
  'step-timings',
  'step-quantiles',
  'step-first-outputs',
]);

/** Whether `name` is answered by a scan. */
export function isReadByScan(name: StatementName): name is ReadByScan {
  return READ_BY_SCAN.has(name);
}

/** What a scan for `question` has to tell besides the numbers that every one tells. */
export function scanPartsOf(question: AnyQuestion): ScanPart[] {
  if (question.name !== 'step-statistics') return [];
  const { quantiles = [], timings = true, firstOutput = false } = question;
  return [
    ...(quantiles.length > 0 ? (['quantiles'] as const) : []),
    ...(timings ? (['timings'] as const) : []),
    ...(firstOutput ? (['first-output'] as const) : []),
  ];
}

/** What the rows of `window.sql` tell. */
export function rowsOfWindow([row]: readonly SqlRow[]): Pick<SharedRows, 'extent' | 'sampled-programs'> {
  return { extent: [row!], 'sampled-programs': programRows([row!]) };
}

/** What the rows of `step-scan.sql` tell; of one step alone, nothing about the rest of the window. */
export function rowsOfScan(rows: readonly SqlRow[], step: string | null): Partial<SharedRows> {
  const steps = rows.filter((row) => row['step'] !== '');
  const counted = steps.filter((row) => Number(row['counted']) > 0);
  return {
    'step-statistics': steps,
    'step-quantiles': counted,
    'step-timings': counted.flatMap(timingRows),
    'step-first-outputs': counted
      .filter((row) => Number(row['outputs'] ?? 0) > 0)
      .map((row) => ({
        step: row['step'],
        group_id: row['group_id'],
        counted: row['outputs'],
        average_s: row['first_output_s'],
        quantiles_s: row['first_outputs_s'],
      })),
    ...(step === null && { extent: [extentOf(rows)], 'sampled-programs': programRows(rows) }),
  };
}

function timingRows(row: SqlRow): SqlRow[] {
  const [names = [], sums = [], counts = []] = (row['parts'] ?? []) as [string[]?, number[]?, (string | number)[]?];
  return names.map((part, index) => ({
    step: row['step'],
    group_id: row['group_id'],
    part,
    average_s: sums[index]! / Number(counts[index]),
  }));
}

function extentOf(rows: readonly SqlRow[]): SqlRow {
  const spans = rows.reduce((sum, row) => sum + (row['total'] as bigint), 0n);
  const starts = rows.flatMap((row) => [row['oldest_ns'] as bigint, row['newest_ns'] as bigint]);
  if (starts.length === 0) return { spans, oldest_ns: null, newest_ns: null };
  const inOrder = starts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return { spans, oldest_ns: inOrder[0], newest_ns: inOrder.at(-1) };
}

/** Programs in order of name, then ratio; one without a name is told as null. */
function programRows(rows: readonly SqlRow[]): SqlRow[] {
  const byText = new Map<string, readonly [string, number]>();
  for (const row of rows) {
    for (const program of row['programs'] as (readonly [string, number])[]) byText.set(program.join('\0'), program);
  }
  return [...byText.values()]
    .toSorted(([a, ratioA], [b, ratioB]) => (a === b ? ratioA - ratioB : a < b ? -1 : 1))
    .map(([name, ratio]) => ({ service_name: name === '' ? null : name, sampling_ratio: ratio }));
}
