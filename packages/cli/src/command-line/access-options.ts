import { readFileSync } from 'node:fs';
import { UsageError } from '../usage-error.ts';
import { text } from '../values/value-parsers.ts';
import { option } from './options.ts';
import type { OptionValues } from './options.ts';

/** Where a command listens, and who may ask it. */
export const ACCESS_OPTIONS = {
  host: option(text, {
    placeholder: 'address',
    description: 'address to listen on; other machines reach anything but 127.0.0.1, so it needs --token-file',
    default: '127.0.0.1',
  }),
  tokenFile: option(text, {
    placeholder: 'file',
    description: 'tokens that may send, read and delete, one a line; `read <token>` may only read',
    defaultText: 'no token is asked for',
  }),
};

/** The contents of the token file. @throws {@link UsageError} when it cannot be read */
export function tokensOf({ tokenFile }: Pick<OptionValues<typeof ACCESS_OPTIONS>, 'tokenFile'>): string | undefined {
  if (tokenFile === undefined) return undefined;
  try {
    return readFileSync(tokenFile, 'utf8');
  } catch (error) {
    throw new UsageError(`--token-file cannot be read: ${(error as Error).message}. Give the path of a text file.`);
  }
}

/** What was given wrong is said like any slip at the command line: a host that others reach needs tokens. */
export function accessMistake(error: unknown): unknown {
  const { code, message } = error as Partial<Error & { code: string }>;
  return code === 'TOKEN_MISSING' || code === 'TOKEN_FILE_MALFORMED' ? new UsageError(String(message)) : error;
}
