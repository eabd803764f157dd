import type { CommandDefinition } from '../command-line/command-definition.ts';

/** `demo`: example data, and every answer on it. */
export const demoCommand: CommandDefinition = {
  name: 'demo',
  summary: 'make example data and show every answer on it',
  examples: [
    ['convotel demo', 'takes less than half a minute, leaves nothing behind'],
    ['convotel demo --keep', 'keep the back end running to look around'],
  ],
  options: [
    { flags: '--speed <factor>', description: 'how much faster than real the live part runs', defaultText: '10' },
    { flags: '--keep', description: 'leave the back end running until Ctrl-C, and say what to try next' },
    { flags: '--no-color', description: 'print without colours (NO_COLOR does the same)' },
  ],
  run: async (invocation) => (await import('../demo/run-demo.ts')).runDemo(invocation),
};
