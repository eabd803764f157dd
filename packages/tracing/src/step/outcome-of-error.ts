import { UNKNOWN_ERROR_TYPE } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';

/** What an error says about the step or conversation that it ended. */
export interface ErrorOutcome {
  outcome: Outcome;
  /** Class or code of the error; {@link UNKNOWN_ERROR_TYPE} when neither says anything. */
  errorType: string;
  /** The error's own words; absent when it has none. */
  message?: string;
}

/** What can be an error's type: few distinct values, so no sentence and no address. */
const TYPE_PATTERN = /^[A-Za-z_$][\w$.-]{0,63}$/;

/**
 * Reads whatever was thrown: an error, a string, null, or an object that throws when it is looked at.
 * `TimeoutError` and `ETIMEDOUT` timed out, `AbortError` was interrupted, everything else failed.
 */
export function outcomeOfError(error: unknown): ErrorOutcome {
  const name = textOf(error, 'name');
  const code = textOf(error, 'code');
  const message = typeof error === 'string' ? error : textOf(error, 'message');
  return {
    outcome: outcomeOf(name, code),
    errorType: errorTypeOf(error, name, code),
    ...(message !== undefined && message !== '' && { message }),
  };
}

function outcomeOf(name: string | undefined, code: string | undefined): Outcome {
  if (name === 'TimeoutError' || code === 'ETIMEDOUT') return 'timed_out';
  return name === 'AbortError' ? 'interrupted' : 'failed';
}

function errorTypeOf(error: unknown, name: string | undefined, code: string | undefined): string {
  const className = name === undefined || name === 'Error' ? classNameOf(error) : name;
  for (const type of [code, className, name]) {
    if (type !== undefined && TYPE_PATTERN.test(type)) return type;
  }
  return UNKNOWN_ERROR_TYPE;
}

/** Only of errors: the class of another thrown object (`Object`, `Array`) says nothing about what went wrong. */
function classNameOf(error: unknown): string | undefined {
  try {
    return error instanceof Error ? textOf(error.constructor, 'name') : undefined;
  } catch {
    // A Proxy whose prototype cannot be asked for: an error of unknown type, which is the answer.
    return undefined;
  }
}

function textOf(source: unknown, key: 'name' | 'code' | 'message'): string | undefined {
  if (source === null || (typeof source !== 'object' && typeof source !== 'function')) return undefined;
  try {
    const value = (source as Record<string, unknown>)[key];
    return typeof value === 'string' ? value : undefined;
  } catch {
    // A getter or Proxy that throws: the property is unknown, and the thrown object goes on untouched.
    return undefined;
  }
}
