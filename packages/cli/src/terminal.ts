import { codedError } from '@convotel/conventions';

/** The environment of the command line, so that tests can pass their own. */
export interface Terminal {
  /** Writes the answer. */
  writeOutput(text: string): void;
  /** Writes everything that is not the answer. */
  writeError(text: string): void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether the output is a terminal that supports colours. */
  readonly isColorful: boolean;
  /** Width of the terminal in cells; undefined if the output is not a terminal. */
  readonly columns?: number | undefined;
  /** Whether standard error is a terminal. @defaultValue `false` */
  readonly showsProgress?: boolean | undefined;
  /** Where the search for `convotel.json` starts; undefined to skip it. */
  readonly workingFolder?: string | undefined;
  /** The current time in Unix nanoseconds. */
  nowUnixNano(): bigint;
  /** Aborted when the user presses Ctrl-C or the process is asked to end. */
  readonly interrupted: AbortSignal;
}

/** Resolves when `signal` is aborted, immediately if it already is. Aborting `givenUp` removes the listener. */
export function untilAborted(signal: AbortSignal, givenUp?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true, ...(givenUp && { signal: givenUp }) });
  });
}

/**
 * Resolves to the result of `work`, or to undefined when the user presses Ctrl-C; unfinished work ends with the
 * process.
 */
export async function unlessInterrupted<Value>(
  work: Promise<Value>,
  { interrupted }: Terminal,
): Promise<Value | undefined> {
  const over = new AbortController();
  try {
    return await Promise.race([untilAborted(interrupted, over.signal).then(() => undefined), work]);
  } finally {
    over.abort();
  }
}

/** Exit statuses of the command line. Stable, because scripts depend on them. */
export const EXIT_STATUS = {
  /** The question was answered, even if there are no rows. */
  answered: 0,
  failed: 1,
  wrongUsage: 2,
  /** The back end cannot be reached, or its answer is invalid. */
  unreachable: 3,
  noSuchConversation: 4,
  /** A given threshold was crossed (`watch --once`, `compare --fail-on`), or `doctor` found a problem. */
  thresholdCrossed: 10,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

/** One of {@link EXIT_STATUS}. */
export type ExitStatus = (typeof EXIT_STATUS)[keyof typeof EXIT_STATUS];

/** The command line is invalid; exit status 2. The message says what would be valid. */
export class UsageError extends codedError('UsageError') {
  constructor(message: string, options?: ErrorOptions) {
    super('WRONG_USAGE', message, options);
  }
}
