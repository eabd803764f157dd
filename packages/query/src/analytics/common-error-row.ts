import type { CommonErrorRow } from '../answers/data.ts';
import type { CommonError } from '../questions.ts';
import { formatInstant } from '../time/format-instant.ts';

/** The row of `common-errors` for one group of failures. */
export function commonErrorRow(error: CommonError): CommonErrorRow {
  const { step, errorType, pattern, message, count, lastSeenUnixNano, conversationId } = error;
  return {
    step,
    ...(errorType === undefined ? {} : { errorType }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(message === undefined ? {} : { message }),
    count,
    lastSeen: formatInstant(lastSeenUnixNano),
    conversationId,
  };
}
