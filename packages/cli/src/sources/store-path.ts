import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where the embedded back end keeps its file: the option, else `CONVOTEL_STORE`, else
 * `$XDG_DATA_HOME/convotel/conversations.duckdb` with the base directory specification's default `~/.local/share`.
 */
export function resolveStorePath(
  asked: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const chosen = asked ?? environment['CONVOTEL_STORE'];
  if (chosen !== undefined && chosen !== '') return chosen;
  const dataHome = environment['XDG_DATA_HOME'] || join(environment['HOME'] || homedir(), '.local', 'share');
  return join(dataHome, 'convotel', 'conversations.duckdb');
}
