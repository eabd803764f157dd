import { percentOf } from '../analytics/percent.ts';
import type { AveragesFacts } from './facts.ts';

/** How far the durations of one step lie apart. */
export interface Spread {
  step: string;
  count: number;
  averageMs: number;
  minMs: number;
  maxMs: number;
  /** (longest − shortest) / mean total of a conversation, in per cent. */
  spreadPct: number;
}

/** The spread of every step that has an average; none where no conversation took any time. */
export function measureSpreads({ rows, meanTotalMs }: AveragesFacts): Spread[] {
  if (meanTotalMs === undefined || meanTotalMs <= 0) return [];
  return rows.flatMap(({ step, count, averageMs, minMs, maxMs }) =>
    averageMs === undefined || minMs === undefined || maxMs === undefined
      ? []
      : [{ step, count, averageMs, minMs, maxMs, spreadPct: percentOf(maxMs - minMs, meanTotalMs) }],
  );
}
