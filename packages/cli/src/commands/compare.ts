import type { Window } from '@convotel/query';
import { answerCommand } from '../command-line/answer-command.ts';
import type { OptionTexts } from '../command-line/command-definition.ts';
import { UsageError } from '../command-line/usage-error.ts';
import { EXIT_STATUS } from '../exit-status.ts';

/** `compare`: whether it is better than before, per step and in total. */
export const compareCommand = answerCommand({
  name: 'compare',
  summary: 'before and after, per step and in total',
  examples: [
    ['convotel compare --at 2025-10-08T12:00:00Z --span 24h', 'the day before a change against the day after'],
    ['convotel compare --before 2025-10-01..2025-10-07 --after 2025-10-08..2025-10-14', 'two weeks'],
    ['convotel compare --at 1h --span 1h --fail-on slower', 'status 10 when something got slower'],
  ],
  options: [
    { flags: '--before <from..to>', description: 'one window, as in --since and --until' },
    { flags: '--after <from..to>', description: 'the other window' },
    { flags: '--at <time>', description: 'moment of the change; a duration counts back from now' },
    { flags: '--span <duration>', description: 'how long to look before and after it', defaultText: '24h' },
    { flags: '--fail-on <verdict>', description: 'exit with 10 when a row has it', choices: ['slower', 'faster'] },
  ],
  hasFilters: true,
  understand: async ({ texts, timeZone, filters, nowUnixNano }) => ({
    ...(await resolveSides(texts, timeZone, nowUnixNano)),
    timeZone,
    filters,
  }),
  ask: async (source, options) => (await import('@convotel/query')).compare(source, options),
  text: async (report, context) => (await import('../text/compare.ts')).compareText(report, context),
  exitStatus: (report, texts) =>
    report.data.some((row) => row.verdict === texts['failOn']) ? EXIT_STATUS.thresholdCrossed : EXIT_STATUS.answered,
});

async function resolveSides(
  { before, after, at, span }: OptionTexts,
  timeZone: string,
  nowUnixNano: bigint,
): Promise<{ before: Window; after: Window }> {
  const { resolveInstant, resolveWindow } = await import('../command-line/window.ts');
  if (at !== undefined) {
    if (before !== undefined || after !== undefined) {
      throw new UsageError('--at goes with --span; leave out --before and --after.');
    }
    const { parseDurationNano } = await import('../command-line/duration.ts');
    const spanNano = parseDurationNano(span ?? '24h', '--span');
    const changeUnixNano = resolveInstant(at, '--at', timeZone, nowUnixNano);
    return {
      before: { sinceUnixNano: changeUnixNano - spanNano, untilUnixNano: changeUnixNano },
      after: { sinceUnixNano: changeUnixNano, untilUnixNano: changeUnixNano + spanNano },
    };
  }
  if (before === undefined || after === undefined) {
    throw new UsageError('compare needs --at <time> with --span <duration>, or both --before and --after <from..to>.');
  }
  if (span !== undefined) throw new UsageError('--span goes with --at.');
  const sideOf = (text: string, option: string): Window => {
    const [since, until, ...more] = text.split('..');
    if (!since || !until || more.length > 0) {
      throw new UsageError(`${option} takes two times such as 2025-10-01..2025-10-07, got "${text}".`);
    }
    return resolveWindow({ since, until }, since, timeZone, nowUnixNano).window;
  };
  return { before: sideOf(before, '--before'), after: sideOf(after, '--after') };
}
