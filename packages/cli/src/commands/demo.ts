import { defineCommand, flag, option } from '../command-line/command.ts';
import { COLOR_OPTION } from '../command-line/shared-options.ts';
import { numberBetween } from '../values.ts';

/** `demo`: generates example data and runs every command on it. */
export const command = defineCommand({
  examples: [
    ['convotel demo', 'takes less than half a minute, leaves nothing behind'],
    ['convotel demo --keep', 'keep the back end running to look around'],
  ],
  options: {
    speed: option(numberBetween(0.1, 1000), {
      placeholder: 'factor',
      description: 'how much faster than real the live part runs',
      default: '10',
    }),
    keep: flag('keep the back end running until Ctrl-C, and print what to try next'),
    ...COLOR_OPTION,
  },
  run: async ({ options, terminal, runWords }) =>
    (await import('../demo/run-demo.ts')).runDemo(options, terminal, runWords),
});
