import type { ConversationSource, Report, StepAverageRow, WindowedOptions } from '@convotel/query';
import type { Query } from '../command-line/answer-command.ts';
import { GRAPH_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/window-command.ts';
import { withStepTargets } from '../settings/step-targets.ts';
import { sparkline } from '../text/graph.ts';
import { findingsSection, heavyRule, leftOutLines, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable, tableWidths } from '../text/table.ts';
import type { Column } from '../text/table.ts';
import { millisecondsText } from '../text/words.ts';

/** `averages`: how long each step takes. */
export const command = windowCommand({
  examples: [
    ['convotel averages --hours 24', 'the last day'],
    ['convotel averages --since 2025-10-08 --until 2025-10-09', 'one day of the calendar'],
  ],
  since: '24h',
  options: GRAPH_OPTION,
  ask: async (query, source, asked) => {
    const report = await query.averages(source, asked);
    return withStepTargets(report, report.data, asked.settings);
  },
  draw: drawTrends,
  text: averagesText,
});

/** The average of each step in equal parts of the window, the oldest first; undefined where nothing is counted. */
type Trends = ReadonlyMap<string, readonly (number | undefined)[]>;

const TREND_PARTS = 12;

/** A part is a question of its own. Of a Jaeger each would be a search, so there is no trend from there. */
async function drawTrends(
  _query: Query,
  source: ConversationSource,
  { window: { sinceUnixNano, untilUnixNano }, filters = {} }: WindowedOptions,
): Promise<Trends> {
  const trends = new Map<string, (number | undefined)[]>();
  if (source.kind === 'jaeger') return trends;
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

/** How long each step takes: count, average, minimum and maximum; drawn, also how the average went. */
export function averagesText(
  { data: rows, findings }: Report<'averages', StepAverageRow[]>,
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
  const trend: Column<StepAverageRow> = {
    heading: 'Avg Trend',
    width: TREND_PARTS,
    align: 'left',
    gap: 3,
    cell: ({ step }) => sparkline(trends.get(step) ?? []),
  };
  const hasRoom = tableWidths([...columns, trend], rows).close <= (context.columns ?? Number.POSITIVE_INFINITY);
  const table = layOutTable(trends.size > 0 && hasRoom ? [...columns, trend] : columns, rows, context);
  return pageText(
    [
      ...titleLines(`Average Step Durations (${windowText})`, 60, context),
      ...tableSection(table, 60, 'No steps in this window', context),
      heavyRule(60, context),
      ...leftOutLines(rows),
      ...findingsSection('INTERPRETATION', findings, context),
    ],
    context,
  );
}
