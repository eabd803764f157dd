import { findErrorCause } from '../findings/error-causes.ts';
import type { ErrorCause } from '../findings/error-causes.ts';
import { findAll, findingRule } from '../findings/finding.ts';
import type { CommonError, ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/instant.ts';
import { percentOf } from './intervals.ts';
import { buildReport, checkLimit, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** What {@link commonErrors} is asked with. */
export interface CommonErrorsOptions extends WindowedOptions {
  /** Maximum number of rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
}

/** A row of `common-errors`. */
export interface CommonErrorRow {
  step: string;
  errorType?: string;
  /** The message with what differs from one failure to the next replaced by `…`. */
  pattern?: string;
  /** That of the latest failure. */
  message?: string;
  count: number;
  lastSeen: string;
  conversationId: string;
}

/**
 * Failures of the window grouped by step, `error.type` and pattern of message, most frequent first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function commonErrors(
  source: ConversationSource,
  options: CommonErrorsOptions,
): Promise<Report<'common-errors', CommonErrorRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, limit = 10 } = options;
  checkLimit(limit);

  const { data, coverage } = await source.ask({ name: 'common-errors', window, filters, limit });
  const rows = data.map(commonErrorRow);
  const findings = findAll(commonErrorsRules, { rows });
  return buildReport({ command: 'common-errors', source, window, timeZone, coverage, data: rows, findings });
}

/** One group of failures as a row. */
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

/** What the rules of `common-errors` look at. */
export interface CommonErrorsFacts {
  rows: CommonErrorRow[];
}

/** One cause is worth naming above this share of the errors listed, in per cent. */
export const COMMON_CAUSE_ABOVE_PCT = 50;

/** The cause behind most of the errors listed, and what to do about it. */
export const commonCause = findingRule('common-cause', ({ rows }: CommonErrorsFacts) => {
  const errors = rows.reduce((sum, row) => sum + row.count, 0);
  const countByCause = new Map<ErrorCause, number>();
  for (const row of rows) {
    const cause = findErrorCause(row);
    if (cause !== undefined) countByCause.set(cause, (countByCause.get(cause) ?? 0) + row.count);
  }
  return [...countByCause].flatMap(([cause, count]) => {
    const sharePct = percentOf(count, errors);
    if (sharePct <= COMMON_CAUSE_ABOVE_PCT) return [];
    const which = errors === 1 ? 'The error listed is' : `${count} of ${errors} errors listed are`;
    const evidence = { cause: cause.phrase, count, errors, sharePct };
    return [
      { severity: 'warning' as const, text: `${which} due to ${cause.phrase}`, evidence },
      { severity: 'advice' as const, text: cause.remedy, evidence },
    ];
  });
});

/** The findings of `common-errors`, in the order in which they are printed. */
export const commonErrorsRules = [commonCause];
