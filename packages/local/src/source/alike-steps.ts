import type { SqlRow } from '@convotel/query/engine';

/** A row of `summed-step-statistics.sql`: the spans of a step that have the rest in common, and their durations. */
interface AlikeSpans {
  step_id: number;
  outcome: string;
  depth: number;
  is_short: boolean;
  spans: bigint;
  /** Null, like the next two, if they are not short. */
  sum_ns: bigint | null;
  min_ns: bigint | null;
  max_ns: bigint | null;
}

const FAILURES: ReadonlySet<string> = new Set(['failed', 'timed_out', 'abandoned']);

/** Adds up the rows of `summed-step-statistics.sql` to those of `step-statistics.sql`, with the `names` of steps. */
export function addUpSteps(rows: readonly SqlRow[], names: ReadonlyMap<number, string>): SqlRow[] {
  const byStep = new Map<number, AlikeSpans[]>();
  for (const row of rows as unknown as readonly AlikeSpans[]) {
    const known = byStep.get(row.step_id);
    if (known === undefined) byStep.set(row.step_id, [row]);
    else known.push(row);
  }
  return [...byStep].map(([stepId, alike]) => {
    const completed = alike.filter(({ outcome }) => outcome === 'completed');
    const counted = completed.filter(({ is_short: isShort }) => isShort);
    return {
      step: names.get(stepId)!,
      group_id: 0,
      total: countOf(alike),
      completed: countOf(completed),
      failures: countOf(alike.filter(({ outcome }) => FAILURES.has(outcome))),
      counted: countOf(counted),
      average_ns: durationOf(counted) / countOf(counted),
      min_ns: Math.min(...counted.map(({ min_ns: minNs }) => Number(minNs))),
      max_ns: Math.max(...counted.map(({ max_ns: maxNs }) => Number(maxNs))),
      outermost_ns: durationOf(counted.filter(({ depth }) => depth === 0)),
    };
  });
}

function countOf(alike: readonly AlikeSpans[]): number {
  return alike.reduce((sum, { spans }) => sum + Number(spans), 0);
}

function durationOf(alike: readonly AlikeSpans[]): number {
  return Number(alike.reduce((sum, { sum_ns: sumNs }) => sum + sumNs!, 0n));
}
