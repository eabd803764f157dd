import type { LocalBackend } from '@convotel/local';
import { defineCommand } from '../command-line/command.ts';
import { duration } from '../command-line/duration.ts';
import { option } from '../command-line/options.ts';
import { STORE_OPTION } from '../command-line/shared-options.ts';
import { byteSize, wholeNumber } from '../command-line/value-parsers.ts';
import { EXIT_STATUS } from '../exit-status.ts';
import { resolveStorePath } from '../sources/open-source.ts';
import { untilAborted } from '../terminal.ts';

const NANO_PER_DAY = 86_400_000_000_000;
const BYTES_PER_MIB = 1024 ** 2;

/** `serve`: the embedded back end, until Ctrl-C, which is its regular end: status 0. */
export const command = defineCommand({
  examples: [
    ['convotel serve', 'listen on 127.0.0.1:4318, where OpenTelemetry programs send by default'],
    ['convotel serve --port 0 --store /tmp/try.duckdb', 'a free port and a file of its own'],
    ['convotel serve --max-age 7d --max-size 500MiB', 'keep less'],
  ],
  options: {
    port: option(wholeNumber(0, 65_535), {
      placeholder: 'number',
      description: 'TCP port on 127.0.0.1; 0 picks a free one',
      default: '4318',
    }),
    ...STORE_OPTION,
    maxAge: option(duration, {
      placeholder: 'duration',
      description: 'conversations older than this are removed',
      default: '30d',
    }),
    maxSize: option(byteSize, {
      placeholder: 'bytes',
      description: 'the oldest conversations are removed above this (500MiB, 2GiB)',
      default: '2GiB',
    }),
  },
  run: async ({ options, terminal }) => {
    const { startLocalBackend } = await import('@convotel/local');
    const backend = await startLocalBackend({
      port: options.port,
      retention: { maxAgeDays: Number(options.maxAge.nano) / NANO_PER_DAY, maxBytes: options.maxSize },
      storePath: resolveStorePath(options.store, terminal.environment),
      onNotice: (notice) => terminal.writeError(`convotel serve: ${notice}\n`),
    });
    try {
      terminal.writeOutput(greeting(backend));
      await untilAborted(terminal.interrupted);
      return EXIT_STATUS.answered;
    } finally {
      await backend.stop();
    }
  },
});

/** The address stands first, so that a script can read it off the first line. */
function greeting({ url, storePath, retention }: LocalBackend): string {
  return [
    `convotel serve listens on ${url}`,
    `  Store:  ${storePath}`,
    `  Keeps:  ${decimal(retention.maxAgeDays)} days, at most ${decimal(retention.maxBytes / BYTES_PER_MIB)} MiB; the oldest conversations go first`,
    `  Send:   OTEL_EXPORTER_OTLP_ENDPOINT=${url} node your-program.js`,
    `  Ask:    convotel recent --from ${url}`,
    'Ctrl-C ends it.\n',
  ].join('\n');
}

function decimal(value: number): string {
  return String(Math.round(value * 100) / 100);
}
