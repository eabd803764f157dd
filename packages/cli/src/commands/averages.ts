import type { ConversationSource, Report, StepAverageRow, WindowedOptions } from '@convotel/query';
import { windowCommand } from '../command-line/answer-command.ts';
import { BY_OPTION, GRAPH_OPTION } from '../command-line/shared-options.ts';
import { withStepTargets } from '../settings/read-settings.ts';
import { sparkline } from '../text/graph.ts';
import {
  findingsSection,
  groupLines,
  heavyRule,
  leftOutLines,
  pageText,
  tableSection,
  titleBy,
  titleLines,
  millisecondsText,
} from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable, tableWidths } from '../text/table.ts';
import type { Column } from '../text/table.ts';

/** `averages`: how long each step takes. */
export const command = windowCommand({
  examples: [
    ['convotel averages --hours 24', 'the last day'],
    ['convotel averages --since 2025-10-08 --until 2025-10-09', 'one day of the calendar'],
    ['convotel averages --by model', 'each model on its own'],
  ],
  since: '24h',
  options: { ...BY_OPTION, ...GRAPH_OPTION },
  ask: async (source, asked) => {
    const { averages, RESPONSE_LATENCY } = await import('@convotel/query');
    const { by } = asked.options;
    const report = await averages(source, { ...asked, by });
    if (by !== undefined) return report;
    const steps = report.data.filter(({ step }) => step !== RESPONSE_LATENCY);
    return withStepTargets(report, steps, asked.settings);
  },
  draw: drawTrends,
  text: averagesText,
});

/** The average of each step in equal parts of the window, oldest first; undefined for a part without values. */
type Trends = ReadonlyMap<string, readonly (number | undefined)[]>;

const TREND_PARTS = 12;

interface TrendsCall extends WindowedOptions {
  options: { by?: string | undefined };
}

/** Asks one question per part. There are no trends for groups, nor for Jaeger, where each part would be a search. */
async function drawTrends(
  source: ConversationSource,
  { window: { sinceUnixNano, untilUnixNano }, filters = {}, options: { by } }: TrendsCall,
): Promise<Trends> {
  const trends = new Map<string, (number | undefined)[]>();
  if (source.kind === 'jaeger' || by !== undefined) return trends;
  const edgeAt = (part: number): bigint =>
    sinceUnixNano + ((untilUnixNano - sinceUnixNano) * BigInt(part)) / BigInt(TREND_PARTS);
  for (let part = 0; part < TREND_PARTS; part += 1) {
    const window = { sinceUnixNano: edgeAt(part), untilUnixNano: edgeAt(part + 1) };
    if (window.sinceUnixNano === window.untilUnixNano) continue;
    const { data } = await source.ask({ name: 'step-statistics', window, filters, timings: false });
    for (const { step, averageMs } of data) {
      const trend = trends.get(step) ?? Array.from({ length: TREND_PARTS }, () => undefined);
      trend[part] = averageMs;
      trends.set(step, trend);
    }
  }
  return trends;
}

/**
 * The durations of each step: count, average, minimum, maximum, median time to first output; with `graph`, also the
 * trend of the average.
 */
export function averagesText(
  { by, data, findings }: Report<'averages', StepAverageRow[]>,
  context: TextContext,
  { windowText }: { windowText: string },
  trends: Trends = new Map(),
): string {
  const columns: Column<StepAverageRow>[] = [
    { heading: 'Step', width: 15, align: 'left', cell: (row) => row.step },
    { heading: 'Count', width: 8, align: 'right', gap: 1, cell: (row) => String(row.count) },
    { heading: 'Avg (ms)', width: 8, align: 'right', gap: 3, cell: (row) => millisecondsText(row.averageMs) },
    { heading: 'Min (ms)', width: 8, align: 'right', gap: 3, cell: (row) => millisecondsText(row.minMs) },
    { heading: 'Max (ms)', width: 8, align: 'right', gap: 3, cell: (row) => millisecondsText(row.maxMs) },
  ];
  const firstOutput: Column<StepAverageRow> = {
    heading: 'First P50 (ms)',
    width: 14,
    align: 'right',
    gap: 3,
    cell: (row) => millisecondsText(row.firstOutput?.p50Ms),
  };
  if (data.some((row) => row.firstOutput !== undefined)) columns.push(firstOutput);
  const trend: Column<StepAverageRow> = {
    heading: 'Avg Trend',
    width: TREND_PARTS,
    align: 'left',
    gap: 3,
    cell: ({ step }) => sparkline(trends.get(step) ?? []),
  };
  const hasRoom = tableWidths([...columns, trend], data).close <= (context.columns ?? Number.POSITIVE_INFINITY);
  const shown = trends.size > 0 && hasRoom ? [...columns, trend] : columns;
  return pageText(
    [
      ...titleLines(titleBy(`Average Step Durations (${windowText})`, by), 60, context),
      ...groupLines(data, (rows) => [
        ...tableSection(layOutTable(shown, rows, context), 60, 'No steps in this window', context),
        heavyRule(60, context),
        ...leftOutLines(rows),
      ]),
      ...findingsSection('INTERPRETATION', findings, context),
    ],
    context,
  );
}
