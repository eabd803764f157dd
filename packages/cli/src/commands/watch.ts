import type { CommandDefinition } from '../command-line/command-definition.ts';
import { FILTER_OPTIONS, OUTPUT_OPTIONS, SOURCE_OPTIONS } from '../command-line/shared-options.ts';

/** `watch`: alerts while it runs. */
export const watchCommand: CommandDefinition = {
  name: 'watch',
  summary: 'alerts while it runs: failing steps, slow conversations',
  examples: [
    ['convotel watch', 'look at the last hour every five minutes, until Ctrl-C'],
    ['convotel watch --max-error-rate gpt=5 --max-p95 gpt=8000', 'own rules'],
    ['convotel watch --once --json', 'one round for a scheduler: status 10 when there is an alert'],
  ],
  options: [
    {
      flags: '--max-error-rate <pct>',
      description: 'alert above this failure rate, of every step or of one (gpt=5); may be repeated',
      defaultText: '10',
      isRepeatable: true,
    },
    {
      flags: '--max-slow <count>',
      description: 'alert when more conversations than this are slow',
      defaultText: '3',
    },
    { flags: '--slow-threshold <ms>', description: 'a conversation above it is slow', defaultText: '8000' },
    {
      flags: '--max-p95 <step=ms>',
      description: "alert when a step's 95th percentile is above it; may be repeated",
      isRepeatable: true,
    },
    { flags: '--idle', description: 'alert when there is no conversation at all' },
    { flags: '--since <duration>', description: 'how far each round looks back', defaultText: '1h' },
    { flags: '--interval <duration>', description: 'time between two rounds', defaultText: '5m' },
    { flags: '--once', description: 'look once and exit: 10 when there is an alert, else 0' },
    { flags: '--changes', description: 'tell a lasting condition only when it begins and when it is over' },
    ...FILTER_OPTIONS,
    ...SOURCE_OPTIONS,
    ...OUTPUT_OPTIONS.filter(({ flags }) => flags === '--json'),
  ],
  run: async (invocation) => (await import('../watch/run-watch.ts')).runWatch(invocation),
};
