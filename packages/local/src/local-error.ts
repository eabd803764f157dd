import { codedError } from '@convotel/conventions';
import type { ErrorCodeOf } from '@convotel/conventions';

/** Why the embedded back end could not start or could not do what it was asked. */
export class LocalError extends codedError('LocalError') {}

/** Codes of {@link LocalError}. */
export type LocalErrorCode = ErrorCodeOf<'LocalError'>;
