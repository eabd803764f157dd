import type { LocalBackend } from '@convotel/local';
import { defineCommand } from '../command-line/command.ts';
import { duration } from '../values/duration.ts';
import { option } from '../command-line/options.ts';
import { STORE_OPTION } from '../command-line/shared-options.ts';
import { UsageError } from '../usage-error.ts';
import { byteSize, wholeNumber } from '../values/value-parsers.ts';
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
    host: option(loopbackOnly, {
      placeholder: 'address',
      description: 'only 127.0.0.1: whoever reaches the port can read every conversation',
      default: '127.0.0.1',
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
    const local = await import('@convotel/local');
    const storePath = resolveStorePath(options.store, terminal.environment);
    const backend = await local
      .startLocalBackend({
        port: options.port,
        retention: { maxAgeDays: Number(options.maxAge.nano) / NANO_PER_DAY, maxBytes: options.maxSize },
        storePath,
        onNotice: (notice) => terminal.writeError(`convotel serve: ${notice}\n`),
      })
      .catch(async (error: unknown) => {
        const url = isStoreLocked(error) ? await local.findRunningBackend(storePath) : undefined;
        if (url === undefined) throw error;
        throw new local.LocalError(
          'STORE_LOCKED',
          `${storePath} is already served at ${url}. Ask it with \`convotel recent\`, send to it, or give this one a file of its own with --store.`,
          { cause: error },
        );
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

function isStoreLocked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'STORE_LOCKED';
}

function loopbackOnly(host: string, flagText: string): string {
  if (host === '127.0.0.1' || host === 'localhost') return host;
  throw new UsageError(
    `${flagText} takes only 127.0.0.1, got "${host}": the receiver has no password. ` +
      'To receive from other machines, run an OpenTelemetry collector there that forwards to this address, or a proxy with authentication in front of it.',
  );
}

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
