import type { DurationsTable, SqlRow, SqlValue, StepDurationsAsked } from '../../engines/sql/sql-store.ts';
import { windowValues } from '../../engines/sql/sql-store.ts';
import type { ConversationOutcome } from '../../model/conversation.ts';
import { StepCells, withoutNoGroup } from '../../model/groups.ts';
import { millisecondsOf, TOO_LONG_NANO } from '../../model/numbers.ts';
import type { ClickHouseStatement } from './statements.ts';

/** Runs a statement. */
export interface StatementReader {
  /** The result as one array per column, which is several times as fast as one object per row. */
  columns(
    name: ClickHouseStatement,
    values: Readonly<Record<string, SqlValue>>,
  ): Promise<Readonly<Record<string, readonly unknown[]>>>;
  rows(name: ClickHouseStatement, values: Readonly<Record<string, SqlValue>>): Promise<SqlRow[]>;
}

/** The table of `step-durations`, from a statement about conversations and one about their steps. */
export async function readDurationsTable(
  reader: StatementReader,
  { window, groupBy, traits, steps }: StepDurationsAsked,
): Promise<DurationsTable> {
  const conversations = await reader.columns('conversation-durations', windowValues(window));
  const traceIds = conversations['trace_id'] as string[];
  const starts = conversations['first_ns'] as bigint[];
  const cells = new StepCells({ groupBy, traits });
  if (steps) {
    const values = { ...windowValues(window), too_long_ns: TOO_LONG_NANO };
    addCells(cells, await reader.rows('step-durations', values), { traceIds, starts });
  }
  return {
    conversations: {
      traceIds,
      startTimesUnixNano: BigInt64Array.from(starts),
      startsInWindow: Uint8Array.from(conversations['starts_within'] as boolean[], Number),
      outcomes: conversations['outcome'] as ConversationOutcome[],
      durationMs: Float64Array.from(conversations['duration_ms'] as number[]),
      stepSumMs: Float64Array.from(conversations['step_sum_ms'] as number[]),
      responseMs: Float64Array.from(conversations['response_ms'] as (number | null)[], (ms) => ms ?? Number.NaN),
      ...(groupBy && {
        groupMasks: Uint32Array.from(conversations['group_mask']!, (mask) => withoutNoGroup(Number(mask), groupBy)),
      }),
    },
    steps: cells.steps,
    columns: (order) => cells.columns(order),
  };
}

/** Adds `rows`, which are cells of the conversations with `traceIds`, of which `starts` holds the starts. */
function addCells(
  cells: StepCells,
  rows: readonly SqlRow[],
  { traceIds, starts }: { traceIds: readonly string[]; starts: readonly bigint[] },
): void {
  const rowByTrace = new Map(traceIds.map((traceId, row) => [traceId, row]));
  for (const cell of rows) {
    const row = rowByTrace.get(cell['trace_id'] as string);
    // The conversation may have no row, because the statement reads all near the window, and spans arrive meanwhile.
    if (row === undefined) continue;
    const figures = {
      row,
      countedMs: cell['counted_ms'] as number,
      counted: Number(cell['counted']),
      completedMs: numberOr(cell['completed_ms'], Number.NaN),
      firstOffsetMs: millisecondsOf((cell['first_ns'] as bigint) - starts[row]!),
      model: (cell['model'] as string | null) ?? '',
      retries: Number(cell['retries']),
      inputChars: numberOr(cell['input_chars'], Number.NaN),
      firstOutputMs: Number(cell['first_output_ms']),
      firstOutputs: Number(cell['first_outputs']),
    };
    cells.add(cell['step'] as string, figures, Number(cell['group_id']));
  }
}

function numberOr(value: unknown, absent: number): number {
  return value === null || value === undefined ? absent : Number(value);
}
