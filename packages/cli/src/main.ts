import { CommanderError } from 'commander';
import { runProgram } from './command-line/program.ts';
import { UsageError, EXIT_STATUS } from './terminal.ts';
import type { ExitStatus, Terminal } from './terminal.ts';
import { COMMANDS } from './commands/commands.ts';
import { printable, withoutCredentials } from './text/escape.ts';

/**
 * Runs the command line: `convotel <command> [options]`.
 *
 * Never throws: errors are printed on standard error and determine the exit status.
 * @param words - the arguments, without the program name
 */
export async function main(words: readonly string[], terminal: Terminal): Promise<ExitStatus> {
  try {
    return await runProgram(COMMANDS, words, terminal, main);
  } catch (error) {
    // Commander has already printed its message. It also throws after printing help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_STATUS.answered : EXIT_STATUS.wrongUsage;
    if (terminal.interrupted.aborted) return EXIT_STATUS.interrupted;
    terminal.writeError(describeFailure(error, terminal));
    return statusOf(error);
  }
}

function statusOf(error: unknown): ExitStatus {
  if (error instanceof UsageError) return EXIT_STATUS.wrongUsage;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (error instanceof Error && error.name === 'SourceError') {
    return code === 'NOT_OTLP' ? EXIT_STATUS.failed : EXIT_STATUS.unreachable;
  }
  if (code === 'NO_SUCH_CONVERSATION') return EXIT_STATUS.noSuchConversation;
  if (code === 'OPTION_OUT_OF_RANGE') return EXIT_STATUS.wrongUsage;
  return EXIT_STATUS.failed;
}

function describeFailure(error: unknown, terminal: Terminal): string {
  // A message may quote a span or a server, so it is escaped.
  const shown = (text: string): string => withoutCredentials(printable(text));
  const message = shown(error instanceof Error ? error.message : String(error));
  const isOurs =
    statusOf(error) !== EXIT_STATUS.failed || (error instanceof Error && /^(Local|Source)Error$/.test(error.name));
  const isTraced = error instanceof Error && Boolean(terminal.environment['CONVOTEL_DEBUG']);
  // The stack repeats the message, whose line breaks would look like our own.
  const lines = isTraced ? (error.stack ?? '').replace(error.message, () => message).split('\n') : [];
  const stack = lines.map((line) => `${shown(line)}\n`).join('');
  const hint = isOurs || stack !== '' ? '' : 'Set CONVOTEL_DEBUG=1 to see where it happened.\n';
  return `convotel: ${message}\n${hint}${stack}`;
}
