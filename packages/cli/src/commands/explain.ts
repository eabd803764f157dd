import type { ExplainedPart, Explanation, Report } from '@convotel/query';
import { conversationCommand } from '../command-line/conversation-command.ts';
import { GRAPH_OPTION } from '../command-line/shared-options.ts';
import {
  conversationHeadLines,
  findingsSection,
  heavyRule,
  pageText,
  tableSection,
  titleLines,
  secondsText,
} from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable, tableWidths } from '../text/table.ts';
import type { Column } from '../text/table.ts';
import { bar } from '../text/graph.ts';

/** More sentences would not be an explanation. */
const MAX_SENTENCES = 8;

/** `explain`: why one conversation took what it took. */
export const command = conversationCommand({
  examples: [
    ['convotel explain latest', 'why the newest conversation took what it took'],
    ['convotel explain 20251008_143022_a1b2c3d4 --target 5s', 'against a target of your own'],
  ],
  options: GRAPH_OPTION,
  maxFindings: MAX_SENTENCES,
  ask: async (source, asked) => {
    const { explain } = await import('@convotel/query');
    return explain(source, asked);
  },
  text: explainText,
});

/** Minimum number of calls for a meaningful rank and median. */
const MIN_CALLS = 20;

const MIN_CELLS = 10;
const MAX_CELLS = 40;

/** Minimum length of a gap that is shown, as a fraction of the conversation. */
const MIN_GAP_SHARE = 0.01;

/** The critical path of the conversation, and a few sentences about why it took so long. */
export function explainText({ data, findings }: Report<'explain', Explanation>, context: TextContext): string {
  const { steps, durationMs } = data;
  const path = data.path.filter((part) => part.step !== undefined || part.durationMs >= durationMs * MIN_GAP_SHARE);
  const stepOf = new Map(steps.map((step) => [step.spanId, step]));
  const columns: Column<ExplainedPart>[] = [
    { heading: 'Waited For', width: 14, align: 'left', cell: ({ step }) => step ?? '(no step)' },
    { heading: 'At (s)', width: 7, align: 'right', gap: 1, cell: ({ offsetMs }) => secondsText(offsetMs) },
    { heading: 'For (s)', width: 7, align: 'right', gap: 1, cell: (part) => secondsText(part.durationMs) },
    {
      heading: 'Usually',
      width: 7,
      align: 'right',
      gap: 2,
      cell: ({ spanId = '' }) => {
        const { usualMs, calls = 0 } = stepOf.get(spanId) ?? {};
        return usualMs === undefined || calls < MIN_CALLS ? '-' : secondsText(usualMs);
      },
    },
    {
      heading: 'Longer Than',
      width: 14,
      align: 'right',
      gap: 2,
      cell: ({ spanId = '' }) => {
        const { percentile, calls = 0 } = stepOf.get(spanId) ?? {};
        return percentile === undefined || calls < MIN_CALLS ? '-' : `${percentile}% of ${calls}`;
      },
    },
  ];
  const cells = context.graph ? Math.min((context.columns ?? 80) - tableWidths(columns, path).wide - 4, MAX_CELLS) : 0;
  if (cells >= MIN_CELLS) {
    const cell = ({ step, offsetMs, durationMs: forMs }: ExplainedPart): string =>
      bar({ startMs: offsetMs, endMs: offsetMs + forMs, isWait: step === undefined }, durationMs, cells);
    columns.push({ heading: '', width: cells + 2, align: 'left', gap: 2, cell });
  }
  return pageText(
    [
      ...titleLines(`Critical Path: ${data.conversationId}`, 80, context),
      ...conversationHeadLines(data, context),
      '',
      ...tableSection(
        layOutTable(columns, path, context),
        80,
        data.outcome === 'open' ? 'No step yet' : 'No step',
        context,
      ),
      heavyRule(80, context),
      ...findingsSection('EXPLANATION', findings, context),
    ],
    context,
  );
}
