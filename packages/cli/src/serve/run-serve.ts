import { startLocalBackend } from '@convotel/local';
import { parseByteSize } from '../command-line/byte-size.ts';
import type { Invocation } from '../command-line/command-definition.ts';
import { parseDurationNano } from '../command-line/duration.ts';
import { parseWholeNumber } from '../command-line/number-option.ts';
import { EXIT_STATUS } from '../exit-status.ts';
import type { ExitStatus } from '../exit-status.ts';
import { resolveStorePath } from '../sources/store-path.ts';

const NANO_PER_DAY = 86_400_000_000_000;

/** Runs the embedded back end until Ctrl-C, which is its regular end: status 0. */
export async function runServe({ texts, terminal }: Invocation): Promise<ExitStatus> {
  const { port, store, maxAge, maxSize } = texts;
  const backend = await startLocalBackend({
    ...(port === undefined ? {} : { port: parseWholeNumber(port, '--port', 0, 65_535) }),
    storePath: resolveStorePath(store, terminal.environment),
    retention: {
      ...(maxAge === undefined ? {} : { maxAgeDays: Number(parseDurationNano(maxAge, '--max-age')) / NANO_PER_DAY }),
      ...(maxSize === undefined ? {} : { maxBytes: parseByteSize(maxSize, '--max-size') }),
    },
  });
  try {
    terminal.writeOutput(`${backend.url}\n`);
    await ended(terminal.interrupted);
    return EXIT_STATUS.answered;
  } finally {
    await backend.stop();
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
