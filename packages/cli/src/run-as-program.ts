import { EXIT_STATUS } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import { main } from './main.ts';

/** Runs the command line with the arguments, streams, signals and clock of this process, and sets its exit status. */
export async function runAsProgram(): Promise<void> {
  const interruption = new AbortController();
  // `once`: a second signal ends the process immediately, as users expect.
  process.once('SIGINT', () => interruption.abort());
  process.once('SIGTERM', () => interruption.abort());
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `convotel … | head` closes the pipe early, which is not an error.
    if (error.code === 'EPIPE') process.exit(EXIT_STATUS.answered);
    process.stderr.write(`convotel: The answer could not be written to standard output: ${error.message}\n`);
    process.exit(EXIT_STATUS.failed);
  });

  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    // `convotel … 2>&1 | head` closes it too. What is left to print is lost, but the answer and its status are not.
    if (error.code !== 'EPIPE') process.exit(EXIT_STATUS.failed);
  });

  const terminal: Terminal = {
    writeOutput: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
    environment: process.env,
    isColorful: process.stdout.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb',
    // A terminal that does not know its width reports 0.
    columns: process.stdout.isTTY === true ? process.stdout.columns || 80 : undefined,
    showsProgress: process.stderr.isTTY === true && process.env['TERM'] !== 'dumb',
    workingFolder: process.cwd(),
    nowUnixNano: () => BigInt(Date.now()) * 1_000_000n,
    interrupted: interruption.signal,
  };
  const status = await main(process.argv.slice(2), terminal);
  process.exitCode = status;
  // Interrupted work may still be waiting for an answer, which would keep the process alive.
  if (status === EXIT_STATUS.interrupted) process.exit();
}
