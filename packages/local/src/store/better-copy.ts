import { isDeepStrictEqual } from 'node:util';
import type { SpanRecord } from '@convotel/query';

/**
 * Whether `later`, read after `earlier`, is the copy of the same span that counts: the one that ends later, then the
 * one that is not recovered, then the one read last. Of equal copies the earlier one stays, which saves rewriting it.
 */
export function replaces(later: SpanRecord, earlier: SpanRecord): boolean {
  const laterEnd = later.startTimeUnixNano + later.durationNano;
  const earlierEnd = earlier.startTimeUnixNano + earlier.durationNano;
  if (laterEnd !== earlierEnd) return laterEnd > earlierEnd;
  if (later.isRecovered !== earlier.isRecovered) return earlier.isRecovered;
  return !isDeepStrictEqual(later, earlier);
}
