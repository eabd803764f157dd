import { type ErrorCodeOf, codedError } from '@convotel/conventions';

/** Why the embedded back end could not start or could not do what it was asked. */
export class LocalError extends codedError('LocalError') {}

/** Codes of {@link LocalError}. */
export type LocalErrorCode = ErrorCodeOf<'LocalError'>;

/** Whether the disk, the file or memory is the cause, not the value to be written. */
export function isStorageFailure(error: unknown): boolean {
  if (error instanceof LocalError) return true;
  const { code, message } = error as NodeJS.ErrnoException;
  const isSystemError = code !== undefined && !code.startsWith('ERR_');
  return isSystemError || /IO Error|Out of Memory|invalidated|FATAL|TransactionContext|closed/i.test(message);
}

/** The store cannot be written at present; a later retry may succeed. */
export function unwritable(path: string, error: unknown): LocalError {
  if (error instanceof LocalError && error.code === 'STORE_UNWRITABLE') return error;
  return new LocalError('STORE_UNWRITABLE', `${path} cannot be written at present: ${(error as Error).message}`, {
    cause: error,
  });
}

/** These spans can never be stored; a retry is pointless. */
export function unstorable(error: unknown): LocalError {
  const message = `a span of this request has a value that cannot be stored: ${(error as Error).message}`;
  return new LocalError('SPAN_UNSTORABLE', message, { cause: error });
}

/** The disk has no room for a copy of the store. */
export function noRoom(path: string, neededBytes: number, freeBytes: number): LocalError {
  const message = `the disk has ${freeBytes} bytes left, and a copy at ${path} needs up to ${neededBytes}`;
  return new LocalError('STORE_UNWRITABLE', message);
}
