import type { CommandEntry } from '../command-line/command.ts';

/** All commands, in the order of the help: first steps, overview, one conversation, many, over time. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'demo',
    summary: 'make example data and show every answer on it',
    load: () => import('./demo.ts'),
  },
  {
    name: 'serve',
    summary: 'run the embedded back end until Ctrl-C: OTLP in, answers out',
    load: () => import('./serve.ts'),
  },
  {
    name: 'ui',
    summary: 'show the web page over any source until Ctrl-C',
    load: () => import('./ui.ts'),
  },
  {
    name: 'recent',
    summary: 'newest conversations',
    load: () => import('./recent.ts'),
  },
  {
    name: 'summary',
    summary: 'one conversation: its steps, and where the time went',
    load: () => import('./summary.ts'),
  },
  {
    name: 'trace',
    summary: 'one conversation: every step with times, input, output and error',
    load: () => import('./trace.ts'),
  },
  {
    name: 'timeline',
    summary: 'one conversation: its steps on one axis',
    load: () => import('./timeline.ts'),
  },
  {
    name: 'explain',
    summary: 'one conversation: why it took what it took',
    load: () => import('./explain.ts'),
  },
  {
    name: 'sessions',
    summary: 'newest sessions: phone calls, chat threads',
    load: async () => ({ command: (await import('./sessions.ts')).sessions }),
  },
  {
    name: 'session',
    summary: 'one session: its conversations on one axis',
    load: async () => ({ command: (await import('./sessions.ts')).session }),
  },
  {
    name: 'averages',
    summary: 'average, shortest and longest duration of each step',
    load: () => import('./averages.ts'),
  },
  {
    name: 'percentiles',
    summary: 'percentiles of the durations of one step',
    load: () => import('./percentiles.ts'),
  },
  {
    name: 'slow',
    summary: 'slowest conversations, or longest waits for an answer',
    load: () => import('./slow.ts'),
  },
  {
    name: 'longest',
    summary: 'conversations that took longest from start to end',
    load: () => import('./longest.ts'),
  },
  {
    name: 'satisfaction',
    summary: 'share of conversations that are fast enough',
    load: () => import('./satisfaction.ts'),
  },
  {
    name: 'correlation',
    summary: 'steps that take long together, and make conversations long',
    load: () => import('./correlation.ts'),
  },
  {
    name: 'errors',
    summary: 'failure rate of each step',
    load: () => import('./errors.ts'),
  },
  {
    name: 'success',
    summary: 'success rate of each step',
    load: () => import('./success.ts'),
  },
  {
    name: 'common-errors',
    summary: 'most frequent errors, by step, type and pattern of message',
    load: () => import('./common-errors.ts'),
  },
  {
    name: 'usage',
    summary: 'calls, tokens, characters spoken and cost, by model',
    load: () => import('./usage.ts'),
  },
  {
    name: 'hours',
    summary: 'conversations in each hour',
    load: async () => ({ command: (await import('./hours.ts')).hours }),
  },
  {
    name: 'busiest',
    summary: 'busiest hours of the day',
    load: async () => ({ command: (await import('./hours.ts')).busiest }),
  },
  {
    name: 'compare',
    summary: 'before and after, per step and in total',
    load: () => import('./compare.ts'),
  },
  {
    name: 'watch',
    summary: 'alerts while it runs: failing steps, slow conversations',
    load: () => import('./watch.ts'),
  },
  {
    name: 'doctor',
    summary: 'check a set-up: what is right, what is not, what to do',
    load: () => import('./doctor.ts'),
  },
  {
    name: 'backup',
    summary: 'copy the store to a file, also while serve runs on it',
    load: () => import('./backup.ts'),
  },
  {
    name: 'forget',
    summary: 'delete one conversation from the store, for good',
    load: () => import('./forget.ts'),
  },
  {
    name: 'clickhouse',
    summary: 'the table that a ClickHouse keeps conversations in, as SQL',
    load: () => import('./clickhouse.ts'),
  },
  {
    name: 'completion',
    summary: 'a script that completes these words in bash, zsh or fish',
    load: () => import('./completion.ts'),
  },
];
