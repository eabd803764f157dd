import type { ConversationSource, PercentileName, Report, StepPercentiles, WindowedOptions } from '@convotel/query';
import type { Query } from '../command-line/answer-command.ts';
import { GRAPH_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/window-command.ts';
import { barCells, barText } from '../text/graph.ts';
import { arrow } from '../text/marks.ts';
import { findingsSection, heavyRule, leftOutLines, pageText, tableSection } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';
import { pad } from '../text/width.ts';
import { millisecondsText } from '../text/words.ts';

/** `percentiles`: how the durations of one step spread. */
export const command = windowCommand({
  examples: [['convotel percentiles gpt --since 7d', 'how slow the slowest answers are']],
  argument: { name: 'step', description: 'name of the step' },
  since: '168h',
  options: GRAPH_OPTION,
  ask: (query, source, asked) => query.percentiles(source, { ...asked, step: asked.argument }),
  draw: drawDistribution,
  text: (report, context, _asked, quantilesMs) => percentilesText(report, context, quantilesMs),
});

const ARROWS: Partial<Record<PercentileName, string>> = { p50: 'Median', p99: '99th percentile' };

/** Of how many equal shares of the values the distribution is drawn. */
const SHARES = 100;
const DISTRIBUTION_LINES = 10;

/** The value in the middle of each hundredth of the sorted durations; empty where there are none. */
async function drawDistribution(
  _query: Query,
  source: ConversationSource,
  { window, filters = {}, argument: step }: WindowedOptions & { argument: string },
): Promise<number[]> {
  const quantiles = Array.from({ length: SHARES }, (_, index) => (index + 0.5) / SHARES);
  const { data } = await source.ask({ name: 'step-statistics', window, filters, step, quantiles, timings: false });
  return data[0]?.quantilesMs ?? [];
}

/** How one step's durations are spread; drawn, also where most of them lie. */
export function percentilesText(
  { data, findings }: Report<'percentiles', StepPercentiles>,
  context: TextContext,
  quantilesMs: readonly number[] = [],
): string {
  const table = layOutTable(
    [
      { heading: 'Percentile', width: 10, align: 'left', cell: ([name]) => name.toUpperCase() },
      // The numbers end one blank before the heading's end.
      {
        heading: 'Duration (ms)',
        width: 13,
        align: 'right',
        gap: 8,
        cell: ([, value]) => `${millisecondsText(value)} `,
      },
    ],
    Object.entries(data.percentiles) as [PercentileName, number][],
    context,
    ([name]) => arrow(ARROWS[name], context),
  );
  return pageText(
    [
      `Duration Percentiles for '${data.step}' Step`,
      heavyRule(60, context),
      ...tableSection(table, 60, `No completed '${data.step}' step in this window`, context),
      '',
      ...distributionLines(quantilesMs, context),
      `Samples${pad(String(data.count), 23, 'right')}`,
      ...leftOutLines([data]),
      ...findingsSection('INSIGHTS', findings, context),
    ],
    context,
  );
}

/** Milliseconds and a percentage. */
const LABEL_CELLS = 23;

/** A bar for each of some equal stretches between the shortest and the longest value: the share that lies in it. */
function distributionLines(quantilesMs: readonly number[], context: TextContext): string[] {
  const cells = barCells(LABEL_CELLS, context);
  const low = quantilesMs[0] ?? 0;
  const span = (quantilesMs.at(-1) ?? 0) - low;
  if (cells === undefined || span === 0) return [];
  const shares = Array.from({ length: DISTRIBUTION_LINES }, () => 0);
  for (const value of quantilesMs) {
    const line = Math.min(Math.floor(((value - low) / span) * DISTRIBUTION_LINES), DISTRIBUTION_LINES - 1);
    shares[line] = (shares[line] ?? 0) + 1;
  }
  const most = Math.max(...shares);
  const lines = shares.map((share, line) => {
    const fromMs = low + (span * line) / DISTRIBUTION_LINES;
    return `${millisecondsText(fromMs).padStart(18)} ${`${share}%`.padStart(4)}  ${barText(share, most, cells)}`.trimEnd();
  });
  return ['Distribution (from … ms on, share)', ...lines, ''];
}
