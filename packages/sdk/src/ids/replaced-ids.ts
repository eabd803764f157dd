import { createHmac } from 'node:crypto';
import { isConversationId, newConversationId } from '@convotel/conventions';

/** See the option `replaceIds` of `startTracing`. */
export type IdReplacement = { key: string } | ((id: string) => string);

const KEYED_ID = /^k_[0-9a-f]{32}$/;

/**
 * The replacement of `id` with `replaceIds: { key }`: `k_` and the first 32 hexadecimal digits of HMAC-SHA-256 of the id
 * (UTF-8). Without the key, it reveals nothing about the id. An id that already has this form is returned unchanged.
 * Use it to look up a conversation by its original id.
 */
export function keyedId(key: string, id: string): string {
  if (KEYED_ID.test(id)) return id;
  return `k_${createHmac('sha256', key).update(id).digest('hex').slice(0, 32)}`;
}

/** Converts the option to a function that never throws and always returns a valid conversation id. */
export function idReplacement(
  replacement: IdReplacement | undefined,
  warn: (message: string) => void,
): ((id: string) => string) | undefined {
  if (replacement === undefined) return undefined;
  if (typeof replacement !== 'function') return (id) => keyedId(replacement.key, id);
  let hasWarned = false;
  const warnOnce = (what: string): void => {
    if (!hasWarned) warn(`convotel: the option replaceIds ${what} This warning appears once.`);
    hasWarned = true;
  };
  let isChecked = false;
  return (id) => {
    try {
      const written: unknown = replacement(id);
      if (isConversationId(written)) {
        if (!isChecked && replacement(written) !== written) {
          warnOnce(
            'does not return its own results as they are, so conversations cannot be joined by the id property of a ' +
              'conversation or by a carrier. Let it return its own results unchanged.',
          );
        }
        isChecked = true;
        return written;
      }
      warnOnce(`returned something other than a string of 1 to 128 characters; such ids are random.`);
    } catch (error) {
      // Not the error's message, which may quote the id.
      warnOnce(`threw ${error instanceof Error ? error.name : typeof error}; such ids are random.`);
    }
    return newConversationId();
  };
}
