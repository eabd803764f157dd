import { formatLocalInstant, parseInstant } from '@convotel/query';

/**
 * An RFC 3339 instant of an answer as people read it in `timeZone`, without offset: `2025-10-08T14:30:22.123456`.
 * @param decimals Digits after the seconds.
 */
export function localTimeText(instant: string, timeZone: string, decimals: 0 | 6): string {
  return formatLocalInstant(parseInstant(instant), timeZone, decimals);
}
