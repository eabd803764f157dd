import type { CorrelatedPair, Correlation, Report } from '@convotel/query';
import { windowCommand } from '../command-line/answer-command.ts';
import { findingsSection, heavyRule, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';

/** `correlation`: which steps are slow together, and which make conversations slow. */
export const command = windowCommand({
  examples: [['convotel correlation --since 7d', 'what makes conversations of the week long']],
  since: '24h',
  options: {},
  ask: async (source, asked) => {
    const { correlation } = await import('@convotel/query');
    return correlation(source, asked);
  },
  text: correlationText,
});

/** Further, weaker pairs are only in JSON and CSV. */
const MAX_PAIRS = 15;

/** The pairs of steps with the strongest correlation, strongest first. */
export function correlationText(
  { data, findings }: Report<'correlation', Correlation>,
  context: TextContext,
  { windowText }: { windowText: string },
): string {
  const { ranked, n } = data;
  const table = layOutTable<CorrelatedPair>(
    [
      { heading: 'Step', width: 18, align: 'left', cell: (pair) => pair.a },
      { heading: 'With', width: 18, align: 'left', gap: 1, cell: (pair) => pair.b },
      { heading: 'Rank Corr.', width: 10, align: 'right', gap: 1, cell: (pair) => rhoText(pair.spearman) },
      { heading: '95% Interval', width: 14, align: 'right', gap: 2, cell: intervalText },
      { heading: 'Conv.', width: 6, align: 'right', gap: 2, cell: (pair) => String(pair.n) },
    ],
    ranked.slice(0, MAX_PAIRS),
    context,
  );
  const more = ranked.length - MAX_PAIRS;
  return pageText(
    [
      ...titleLines(`Correlation of Durations (${windowText}, n = ${n})`, 80, context),
      ...tableSection(table, 80, 'No two durations to compare in this window', context),
      ...(more > 0 ? [`${more} weaker ${more === 1 ? 'pair' : 'pairs'} with --json or --csv`] : []),
      heavyRule(80, context),
      ...findingsSection('FINDINGS', findings, context),
    ],
    context,
  );
}

function intervalText({ interval }: CorrelatedPair): string {
  return interval === undefined ? '-' : `${rhoText(interval[0])}..${rhoText(interval[1])}`;
}

/** Two decimals, and no minus before a zero. */
function rhoText(rho: number): string {
  return rho.toFixed(2).replace(/^-(?=0\.00$)/, '');
}
