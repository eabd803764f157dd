import { stepKindOf } from '@convotel/conventions';
import type { Report, Usage, UsageRow } from '@convotel/query';
import type { Settings } from '../settings/settings.ts';
import { choice } from '../command-line/command.ts';
import { windowCommand } from '../command-line/answer-command.ts';
import { heavyRule, lightRule, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';
import type { Column } from '../text/table.ts';

/** `usage`: how much models were used, and what that costs. */
export const command = windowCommand({
  examples: [
    ['convotel usage --since 7d', 'calls, tokens and characters by model'],
    ['convotel usage --by day --since 30d', 'what each day cost, by the prices in convotel.json'],
  ],
  since: '24h',
  options: {
    by: choice(['model', 'day', 'workflow', 'session', 'step'], {
      placeholder: 'what',
      description: 'what a row is about',
      defaultText: 'model',
    }),
  },
  ask: async (source, asked) => {
    const { usage } = await import('@convotel/query');
    const { prices, steps = {} } = asked.settings;
    const kindOf = (step: string) => (Object.hasOwn(steps, step) ? steps[step]?.kind : undefined) ?? stepKindOf(step);
    return usage(source, { ...asked, by: asked.options.by, prices, kindOf });
  },
  text: (report, context, { windowText, settings }) =>
    usageText(report, context, { windowText, currency: settings.currency, prices: settings.prices }),
});

interface UsageContext {
  windowText: string;
  currency?: string | undefined;
  /** The prices in `convotel.json`, by model. */
  prices?: Settings['prices'];
}

/** Usage per row and in total, and which models have no price. */
export function usageText(
  { data }: Report<'usage', Usage>,
  context: TextContext,
  { windowText, currency, prices = {} }: UsageContext,
): string {
  const { by, rows, total, unpricedModels, unmeasuredModels } = data;
  const heading = by.charAt(0).toUpperCase() + by.slice(1);
  const hasCost = rows.some((row) => row.cost !== undefined);
  const columns: Column<UsageRow>[] = [
    { heading, width: 20, align: 'left', cell: (row) => (row === total ? 'Total' : (row.group ?? '(not said)')) },
    { heading: 'Calls', width: 7, align: 'right', gap: 1, cell: (row) => String(row.calls) },
    { heading: 'Input Tokens', width: 12, align: 'right', gap: 1, cell: (row) => amountText(row.inputTokens) },
    { heading: 'Output Tokens', width: 13, align: 'right', gap: 1, cell: (row) => amountText(row.outputTokens) },
    { heading: 'Spoken Chars', width: 12, align: 'right', gap: 1, cell: (row) => amountText(row.spokenChars) },
  ];
  if (rows.some((row) => row.audioSeconds !== undefined)) {
    const audio = (row: UsageRow): string => (row.audioSeconds === undefined ? '-' : row.audioSeconds.toFixed(1));
    columns.push({ heading: 'Audio (s)', width: 9, align: 'right', gap: 1, cell: audio });
  }
  if (hasCost) {
    const cost = currency === undefined ? 'Cost' : `Cost (${currency})`;
    columns.push({ heading: cost, width: 10, align: 'right', gap: 1, cell: (row) => row.cost?.toFixed(4) ?? '-' });
  }
  // Laid out together with the rows, so that the total has the same columns.
  const table = layOutTable(columns, rows.length === 0 ? [] : [...rows, total], context);
  const totals = table.rows.slice(-1);
  return pageText(
    [
      ...titleLines(`Usage by ${heading} (${windowText})`, 80, context),
      ...tableSection({ ...table, rows: table.rows.slice(0, -1) }, 80, 'No use of models in this window', context),
      ...(rows.length === 0 ? [] : [lightRule(80, context), ...totals]),
      heavyRule(80, context),
      ...unpricedModels.map((model) =>
        Object.hasOwn(prices, model)
          ? `Not every price for ${model}: under "prices" in convotel.json, one of what it used is missing`
          : `No price for ${model}: add one under "prices" in convotel.json`,
      ),
      ...unmeasuredModels.map(
        (model) => `No seconds of audio for ${model}: say them with step.usage({ audioSeconds })`,
      ),
    ],
    context,
  );
}

function amountText(amount: number | undefined): string {
  return amount === undefined ? '-' : String(amount);
}
