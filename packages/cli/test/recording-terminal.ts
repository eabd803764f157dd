import type { Terminal } from '../src/terminal.ts';

/** A terminal that keeps what is written, with a fixed clock and an environment of its own. */
export interface RecordingTerminal extends Terminal {
  output: string;
  errors: string;
  interrupt(): void;
}

/** Its clock stands at 2025-10-08T15:00:00Z unless told otherwise; with `columns` it is a screen of that width. */
export function recordingTerminal(
  environment: Record<string, string | undefined> = {},
  { now = '2025-10-08T15:00:00Z', columns }: { now?: string; columns?: number } = {},
): RecordingTerminal {
  const interruption = new AbortController();
  const terminal: RecordingTerminal = {
    output: '',
    errors: '',
    writeOutput: (text) => void (terminal.output += text),
    writeError: (text) => void (terminal.errors += text),
    environment,
    isColorful: false,
    columns,
    nowUnixNano: () => BigInt(Date.parse(now)) * 1_000_000n,
    interrupted: interruption.signal,
    interrupt: () => interruption.abort(),
  };
  return terminal;
}
