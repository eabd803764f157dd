import type { Report, Satisfaction } from '@convotel/query';
import { choice } from '../command-line/command.ts';
import { TARGET_OPTION } from '../command-line/shared-options.ts';
import { windowCommand } from '../command-line/answer-command.ts';
import { findingsSection, heavyRule, pageText, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';

/** `satisfaction`: how many conversations are fast enough. */
export const command = windowCommand({
  examples: [
    ['convotel satisfaction --since 7d', 'how many conversations of the week completed in less than 7s'],
    ['convotel satisfaction --target 2s --by response', 'how many answered in less than two seconds'],
  ],
  since: '24h',
  options: {
    ...TARGET_OPTION,
    by: choice(['duration', 'response'], {
      placeholder: 'what',
      description: 'what must be below the target: how long it lasted, or how long the user waited for an answer',
      defaultText: 'duration',
    }),
  },
  ask: async (source, asked) => {
    const { satisfaction } = await import('@convotel/query');
    return satisfaction(source, { ...asked, targetMs: asked.options.target, by: asked.options.by });
  },
  text: satisfactionText,
});

/** The criterion, the percentage that meets it with its confidence interval, and what is not counted. */
export function satisfactionText(
  { data, findings }: Report<'satisfaction', Satisfaction>,
  context: TextContext,
  { windowText }: { windowText: string },
): string {
  const { by, targetMs, conversations, satisfied, satisfiedPct, interval, open, withoutResponse = 0 } = data;
  const field = (label: string, value: string): string => `${`${label}:`.padEnd(15)} ${value}`;
  const rule = by === 'response' ? 'completed, and answered in' : 'completed in';
  return pageText(
    [
      ...titleLines(`Satisfaction (${windowText})`, 60, context),
      field('Satisfied when', `${rule} less than ${targetMs / 1000}s`),
      field('Conversations', String(conversations)),
      field('Satisfied', String(satisfied)),
      ...(satisfiedPct === undefined ? [] : [field('Share', `${satisfiedPct.toFixed(2)}%`)]),
      ...(interval === undefined
        ? []
        : [field('95% interval', `${interval[0].toFixed(2)}% to ${interval[1].toFixed(2)}%`)]),
      ...(open === 0 ? [] : [field('Not ended yet', `${open}, not counted`)]),
      ...(withoutResponse === 0 ? [] : [field('Not measured', `${withoutResponse} without a response latency`)]),
      heavyRule(60, context),
      ...findingsSection('FINDINGS', findings, context),
    ],
    context,
  );
}
