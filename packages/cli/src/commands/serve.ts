import type { CommandDefinition } from '../command-line/command-definition.ts';

/** `serve`: the embedded back end, until Ctrl-C. */
export const serveCommand: CommandDefinition = {
  name: 'serve',
  summary: 'run the embedded back end until Ctrl-C: OTLP in, answers out',
  examples: [
    ['convotel serve', 'listen on 127.0.0.1:4318, where OpenTelemetry programs send by default'],
    ['convotel serve --port 0 --store /tmp/try.duckdb', 'a free port and a file of its own'],
    ['convotel serve --max-age 7d --max-size 500MiB', 'keep less'],
  ],
  options: [
    { flags: '--port <number>', description: 'TCP port on 127.0.0.1; 0 picks a free one', defaultText: '4318' },
    {
      flags: '--store <file>',
      description: 'where spans are kept',
      defaultText: '$XDG_DATA_HOME/convotel/conversations.duckdb, or CONVOTEL_STORE',
    },
    { flags: '--max-age <duration>', description: 'conversations older than this are removed', defaultText: '30d' },
    {
      flags: '--max-size <bytes>',
      description: 'the oldest conversations are removed above this (500MiB, 2GiB)',
      defaultText: '2GiB',
    },
  ],
  run: async (invocation) => (await import('../serve/run-serve.ts')).runServe(invocation),
};
