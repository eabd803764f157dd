import type {
  ConversationSource,
  Coverage,
  PercentileName,
  Report,
  StepPercentiles,
  WindowedOptions,
} from '@convotel/query';
import { windowCommand } from '../command-line/answer-command.ts';
import { choice } from '../command-line/command.ts';
import { BY_OPTION, GRAPH_OPTION, WIDE_OPTION } from '../command-line/shared-options.ts';
import { barCells, barText } from '../text/graph.ts';
import {
  arrow,
  findingsSection,
  groupLines,
  heavyRule,
  leftOutLines,
  pageText,
  tableSection,
  titleBy,
  millisecondsText,
} from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { isWideTable, layOutTable, pad } from '../text/table.ts';
import type { Column } from '../text/table.ts';

/** `percentiles`: the distribution of the durations of one step. */
export const command = windowCommand({
  examples: [
    ['convotel percentiles gpt --since 7d', 'how slow the slowest answers are'],
    ['convotel percentiles gpt --of first-output', 'how long until its first words'],
    ["convotel percentiles 'response latency'", 'how long users wait for an answer'],
    ['convotel percentiles gpt --by model', 'each model on its own'],
  ],
  argument: { name: 'step', description: "name of the step, or 'response latency'" },
  since: '168h',
  options: {
    of: choice(['duration', 'first-output'], {
      placeholder: 'what',
      description: 'what is measured: how long the step took, or how long until its first output',
      defaultText: 'duration',
    }),
    ...BY_OPTION,
    ...WIDE_OPTION,
    ...GRAPH_OPTION,
  },
  ask: async (source, { argument: step, options: { of, by }, ...asked }) => {
    const { percentiles } = await import('@convotel/query');
    return percentiles(source, { ...asked, step, of, by });
  },
  draw: drawDistribution,
  text: (report, context, { options: { wide } }, quantilesMs) =>
    percentilesText(report, context, { wide, quantilesMs }),
});

const ARROWS: Partial<Record<PercentileName, string>> = { p50: 'Median', p99: '99th percentile' };

/** Number of quantiles for the chart. */
const SHARES = 100;
const DISTRIBUTION_LINES = 10;

interface DistributionCall extends WindowedOptions {
  argument: string;
  options: { of?: 'duration' | 'first-output' | undefined };
}

/** The value in the middle of each hundredth of the sorted durations; empty if there are none. */
async function drawDistribution(
  source: ConversationSource,
  { window, filters = {}, argument: step, options: { of } }: DistributionCall,
): Promise<number[]> {
  const quantiles = Array.from({ length: SHARES }, (_, index) => (index + 0.5) / SHARES);
  const firstOutput = of === 'first-output';
  const asked = { window, filters, quantiles };
  const { data } = await source.ask({ name: 'step-statistics', ...asked, step, timings: false, firstOutput });
  const [found] = data;
  if (found !== undefined) return (firstOutput ? found.firstOutput : found)?.quantilesMs ?? [];
  const { RESPONSE_LATENCY } = await import('@convotel/query');
  if (step !== RESPONSE_LATENCY || firstOutput) return [];
  const responses = await source.ask({ name: 'response-statistics', ...asked });
  return responses.data[0]!.quantilesMs;
}

/** Percentiles of the durations of one step; with `wide`, also their intervals; with `graph`, a histogram. */
export function percentilesText(
  { by, coverage, data, findings }: Report<'percentiles', StepPercentiles>,
  context: TextContext,
  { wide = false, quantilesMs = [] }: { wide?: boolean; quantilesMs?: readonly number[] | undefined } = {},
): string {
  const { groups = [], ...all } = data;
  const blockLines = (
    spread: Pick<StepPercentiles, 'count' | 'leftOut' | 'percentiles' | 'intervals'>,
    drawing: string[],
  ): string[] => {
    const rows = Object.entries(spread.percentiles) as [PercentileName, number][];
    const narrow: Column<[PercentileName, number]>[] = [
      { heading: 'Percentile', width: 10, align: 'left', cell: ([name]) => name.toUpperCase() },
      // The numbers are one space left of the end of the heading.
      {
        heading: 'Duration (ms)',
        width: 13,
        align: 'right',
        gap: 8,
        cell: ([, value]) => `${millisecondsText(value)} `,
      },
    ];
    const wider = [...narrow, intervalColumn(spread)];
    const isWide = isWideTable(wider, rows, wide, context);
    const table = layOutTable(isWide ? wider : narrow, rows, context, ([name]) => arrow(ARROWS[name], context));
    return [
      ...tableSection(table, 60, emptyText(data, coverage), context),
      '',
      ...drawing,
      `Samples${pad(String(spread.count), 23, 'right')}`,
      ...(isWide ? tooFewLines(spread) : []),
      ...leftOutLines([{ step: data.step, leftOut: spread.leftOut }]),
    ];
  };
  return pageText(
    [
      titleBy(headingOf(data), by),
      heavyRule(60, context),
      ...blockLines(all, distributionLines(quantilesMs, context)),
      ...(groups.length > 0 ? [''] : []),
      ...(groups.length > 0 ? groupLines(groups, (rows) => rows.flatMap((spread) => blockLines(spread, []))) : []),
      ...findingsSection('INSIGHTS', findings, context),
    ],
    context,
  );
}

type Intervals = Pick<StepPercentiles, 'intervals'>;

function intervalColumn({ intervals = {} }: Intervals): Column<[PercentileName, number]> {
  return {
    heading: '95% Interval',
    width: 18,
    align: 'right',
    gap: 3,
    cell: ([name]) => {
      const [low, high] = intervals[name] ?? [null, null];
      if (low === null && high === null) return '-';
      if (low === null) return `up to ${millisecondsText(high ?? undefined)}`;
      return high === null ? `from ${millisecondsText(low)}` : `${millisecondsText(low)}..${millisecondsText(high)}`;
    },
  };
}

/** Which percentiles have no interval with two ends, because there are too few values. */
function tooFewLines({ intervals = {} }: Intervals): string[] {
  const names = Object.entries(intervals).flatMap(([name, ends]) => (ends.includes(null) ? [name.toUpperCase()] : []));
  return names.length === 0 ? [] : [`Too few samples for both ends of an interval: ${names.join(', ')}`];
}

/** What there is none of, where there are no percentiles. */
function emptyText({ step, of, leftOut }: StepPercentiles, { warnings }: Coverage): string {
  if (of === 'first-output') return `No completed '${step}' step with a first output in this window`;
  const isStep = leftOut.tooLong + leftOut.notCompleted > 0 || warnings.some(({ code }) => code === 'step-never-seen');
  return isStep
    ? `No completed '${step}' step in this window`
    : 'No conversation with a response latency in this window';
}

function headingOf({ step, of }: StepPercentiles): string {
  return of === undefined ? `Duration Percentiles for '${step}' Step` : `First Output Percentiles for '${step}' Step`;
}

/** Width of milliseconds and a percentage. */
const LABEL_CELLS = 23;

/** A histogram with equal ranges between the shortest and the longest value. */
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
