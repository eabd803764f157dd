import type { LocalBackend } from '@convotel/local';
import { defineCommand, list, option } from '../command-line/command.ts';
import { duration, byteSize, text, wholeNumber } from '../values.ts';
import { ACCESS_OPTIONS, accessMistake, tokensOf, STORE_OPTION } from '../command-line/shared-options.ts';
import { UsageError, EXIT_STATUS, untilAborted } from '../terminal.ts';
import { resolveStorePath } from '../sources/open-source.ts';
import { pageFolder, pageSettings } from '../sources/page.ts';

const NANO_PER_DAY = 86_400_000_000_000;
const BYTES_PER_MIB = 1024 ** 2;

/** `serve`: runs the embedded back end, until Ctrl-C, with exit status 0. */
export const command = defineCommand({
  examples: [
    ['convotel serve', 'listen on 127.0.0.1:4318, where OpenTelemetry programs send by default'],
    ['convotel serve --port 0 --store /tmp/try.duckdb', 'a free port and a file of its own'],
    ['convotel serve --max-age 7d --max-size 500MiB', 'keep less'],
    ['convotel serve --host 0.0.0.0 --token-file tokens.txt', 'for a team; each line of the file is a token'],
  ],
  options: {
    port: option(wholeNumber(0, 65_535), {
      placeholder: 'number',
      description: 'TCP port; 0 picks a free one',
      default: '4318',
    }),
    ...ACCESS_OPTIONS,
    socket: option(text, {
      placeholder: 'path',
      description: 'listen on a Unix socket, which only its owner can use, instead of --host and --port',
    }),
    allowOrigin: list(webOrigin, {
      placeholder: 'origin',
      description: 'pages of this origin may send and query (https://app.example.com); may be repeated',
    }),
    ...STORE_OPTION,
    maxAge: option(duration, {
      placeholder: 'duration',
      description: 'conversations older than this are removed',
      default: '30d',
    }),
    maxSize: option(byteSize, {
      placeholder: 'bytes',
      description: 'above this size, the oldest conversations are removed (500MiB, 2GiB)',
      default: '2GiB',
    }),
  },
  run: async ({ options, settings, terminal }) => {
    const local = await import('@convotel/local');
    const storePath = resolveStorePath(options.store, terminal.environment);
    const backend = await local
      .startLocalBackend({
        port: options.port,
        host: options.host,
        socketPath: options.socket,
        tokens: tokensOf(options),
        allowedOrigins: options.allowOrigin,
        retention: { maxAgeDays: Number(options.maxAge.nano) / NANO_PER_DAY, maxBytes: options.maxSize },
        storePath,
        pageFolder: pageFolder(),
        pageSettings: pageSettings(settings),
        onNotice: (notice) => terminal.writeError(`convotel serve: ${notice}\n`),
      })
      .catch((error: unknown) => {
        throw accessMistake(error);
      });
    try {
      terminal.writeOutput(greeting(backend, options.tokenFile !== undefined));
      await untilAborted(terminal.interrupted);
      return EXIT_STATUS.answered;
    } finally {
      await backend.stop();
    }
  },
});

/** Parses an origin (scheme, host and port) to the form that browsers send. */
function webOrigin(origin: string, flagText: string): string {
  if (URL.canParse(origin) && /^https?:$/.test(new URL(origin).protocol)) {
    const known = new URL(origin);
    if (known.pathname === '/' && known.search === '' && known.hash === '') return known.origin;
  }
  throw new UsageError(`${flagText} takes an origin such as https://app.example.com, got "${origin}".`);
}

/** The address is on the first line, where a script can read it. */
function greeting({ url, storePath, retention }: LocalBackend, isGuarded: boolean): string {
  const keeps = `  Keeps:  ${decimal(retention.maxAgeDays)} days, at most ${decimal(retention.maxBytes / BYTES_PER_MIB)} MiB; the oldest conversations go first`;
  const first = [`convotel serve listens on ${url}`, `  Store:  ${storePath}`, keeps];
  if (url.startsWith('unix:')) {
    return [
      ...first,
      `  Ask:    convotel recent --from ${url}`,
      'Only its owner can use the socket. Ctrl-C ends it.\n',
    ].join('\n');
  }
  const headers = isGuarded ? " OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer <token>'" : '';
  return [
    ...first,
    `  Send:   OTEL_EXPORTER_OTLP_ENDPOINT=${url}${headers} node your-program.js`,
    `  See:    ${url} in a browser${isGuarded ? ', which asks for a token once' : ''}`,
    `  Ask:    ${isGuarded ? 'CONVOTEL_TOKEN=<token> ' : ''}convotel recent --from ${url}`,
    'Ctrl-C ends it.\n',
  ].join('\n');
}

function decimal(value: number): string {
  return String(Math.round(value * 100) / 100);
}
