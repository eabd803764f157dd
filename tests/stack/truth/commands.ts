import {
  averages,
  busiest,
  commonErrors,
  compare,
  errors,
  formatInstant,
  hours,
  longest,
  percentiles,
  recent,
  slow,
  success,
  summary,
  timeline,
  trace,
} from '@convotel/query';
import type { ConversationSource, Report, Window } from '@convotel/query';

/** One call of the command line, and the same question to the library. */
export interface Call {
  words: string[];
  ask(source: ConversationSource): Promise<Report<string, unknown>>;
}

const ZONE = 'Asia/Kolkata';

/** Every command that answers, about everything in `window` and about single conversations. */
export function callsAbout(window: Window, conversationIds: readonly string[], steps: readonly string[]): Call[] {
  const { sinceUnixNano, untilUnixNano } = window;
  const middle = ((sinceUnixNano + untilUnixNano) / 2n / 1_000_000_000n) * 1_000_000_000n;
  const within = ['--since', formatInstant(sinceUnixNano), '--until', formatInstant(untilUnixNano), '--tz', ZONE];
  const options = { window, timeZone: ZONE };
  const before = { sinceUnixNano, untilUnixNano: middle };
  const after = { sinceUnixNano: middle, untilUnixNano };
  return [
    { words: ['averages', ...within], ask: (source) => averages(source, options) },
    ...steps.map((step): Call => ({
      words: ['percentiles', step, ...within],
      ask: (source) => percentiles(source, { ...options, step }),
    })),
    { words: ['errors', ...within], ask: (source) => errors(source, options) },
    { words: ['success', ...within], ask: (source) => success(source, options) },
    { words: ['common-errors', ...within], ask: (source) => commonErrors(source, options) },
    { words: ['slow', '--limit', '50', ...within], ask: (source) => slow(source, { ...options, limit: 50 }) },
    { words: ['longest', '--limit', '50', ...within], ask: (source) => longest(source, { ...options, limit: 50 }) },
    { words: ['recent', '--limit', '50', ...within], ask: (source) => recent(source, { ...options, limit: 50 }) },
    { words: ['hours', ...within], ask: (source) => hours(source, options) },
    { words: ['busiest', ...within], ask: (source) => busiest(source, options) },
    {
      words: ['averages', '--workflow', 'chat', '--outcome', 'completed', ...within],
      ask: (source) => averages(source, { ...options, filters: { workflow: 'chat', outcome: 'completed' } }),
    },
    {
      words: ['compare', '--before', period(before), '--after', period(after), '--tz', ZONE],
      ask: (source) => compare(source, { before, after, timeZone: ZONE }),
    },
    ...conversationIds.flatMap((conversationId): Call[] => {
      const about = { conversationId, timeZone: ZONE };
      return [
        { words: ['summary', conversationId, '--tz', ZONE], ask: (source) => summary(source, about) },
        { words: ['trace', conversationId, '--tz', ZONE], ask: (source) => trace(source, about) },
        { words: ['timeline', conversationId, '--tz', ZONE], ask: (source) => timeline(source, about) },
      ];
    }),
  ];
}

function period({ sinceUnixNano, untilUnixNano }: Window): string {
  return `${formatInstant(sinceUnixNano)}..${formatInstant(untilUnixNano)}`;
}
