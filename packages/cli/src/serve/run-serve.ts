import { startLocalBackend } from '@convotel/local';
import type { LocalBackend, LocalBackendOptions } from '@convotel/local';
import { parseByteSize } from '../command-line/byte-size.ts';
import type { Invocation, OptionTexts } from '../command-line/command-definition.ts';
import { parseDurationNano } from '../command-line/duration.ts';
import { parseWholeNumber } from '../command-line/number-option.ts';
import { EXIT_STATUS } from '../exit-status.ts';
import type { ExitStatus } from '../exit-status.ts';
import { resolveStorePath } from '../sources/store-path.ts';
import { untilAborted } from '../until-aborted.ts';

const NANO_PER_DAY = 86_400_000_000_000;
const BYTES_PER_MIB = 1024 ** 2;

/** Runs the embedded back end until Ctrl-C, which is its regular end: status 0. */
export async function runServe({ texts, terminal }: Invocation): Promise<ExitStatus> {
  const backend = await startLocalBackend({
    ...optionsOf(texts),
    storePath: resolveStorePath(texts['store'], terminal.environment),
    onNotice: (notice) => terminal.writeError(`convotel serve: ${notice}\n`),
  });
  try {
    terminal.writeOutput(greeting(backend));
    await untilAborted(terminal.interrupted);
    return EXIT_STATUS.answered;
  } finally {
    await backend.stop();
  }
}

function optionsOf({ port, maxAge, maxSize }: OptionTexts): Omit<LocalBackendOptions, 'storePath'> {
  return {
    ...(port === undefined ? {} : { port: parseWholeNumber(port, '--port', 0, 65_535) }),
    retention: {
      ...(maxAge === undefined ? {} : { maxAgeDays: Number(parseDurationNano(maxAge, '--max-age')) / NANO_PER_DAY }),
      ...(maxSize === undefined ? {} : { maxBytes: parseByteSize(maxSize, '--max-size') }),
    },
  };
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
