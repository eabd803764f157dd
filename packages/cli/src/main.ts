import { CommanderError } from 'commander';
import { buildProgram } from './command-line/build-program.ts';
import { UsageError } from './command-line/usage-error.ts';
import { COMMANDS } from './commands/commands.ts';
import { EXIT_STATUS } from './exit-status.ts';
import type { ExitStatus } from './exit-status.ts';
import type { Terminal } from './terminal.ts';

/**
 * Runs the command line: `convotel <command> [options]`.
 *
 * Never throws; what went wrong is told on standard error and by the status.
 * @param words - the arguments, without the program's own name
 */
export async function main(words: readonly string[], terminal: Terminal): Promise<ExitStatus> {
  let status: ExitStatus = EXIT_STATUS.answered;
  const program = buildProgram(COMMANDS, terminal, main, (ended) => (status = ended));
  try {
    await program.parseAsync([...words], { from: 'user' });
    return status;
  } catch (error) {
    // Commander has written its own message already, and calls a page of help an error as well.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_STATUS.answered : EXIT_STATUS.wrongUsage;
    if (terminal.interrupted.aborted) return EXIT_STATUS.interrupted;
    terminal.writeError(await describeFailure(error, terminal));
    return statusOf(error);
  }
}

function statusOf(error: unknown): ExitStatus {
  if (error instanceof UsageError) return EXIT_STATUS.wrongUsage;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (error instanceof Error && error.name === 'SourceError') return EXIT_STATUS.unreachable;
  if (code === 'NO_SUCH_CONVERSATION') return EXIT_STATUS.noSuchConversation;
  if (code === 'OPTION_OUT_OF_RANGE') return EXIT_STATUS.wrongUsage;
  return EXIT_STATUS.failed;
}

async function describeFailure(error: unknown, terminal: Terminal): Promise<string> {
  // A message may quote what a span or a server said, so it is made harmless like every other text.
  const { printable } = await import('./text/printable.ts');
  const message = error instanceof Error ? error.message : String(error);
  const isOurs = statusOf(error) !== EXIT_STATUS.failed || (error instanceof Error && error.name === 'LocalError');
  const stack = error instanceof Error && terminal.environment['CONVOTEL_DEBUG'] ? `${error.stack}\n` : '';
  const hint = isOurs || stack !== '' ? '' : 'Set CONVOTEL_DEBUG=1 to see where it happened.\n';
  return `convotel: ${printable(message)}\n${hint}${stack}`;
}
