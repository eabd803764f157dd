import { codedError } from '@convotel/conventions';
import type { ErrorCodeOf } from '@convotel/conventions';

/** Why a source could not answer. The message says what happened, why, and what to do next. */
export class SourceError extends codedError('SourceError') {}

/** Codes of {@link SourceError}. */
export type SourceErrorCode = ErrorCodeOf<'SourceError'>;
