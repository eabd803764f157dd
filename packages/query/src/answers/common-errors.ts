import { findAll, findingRule, phrasesOf, stepDisplayName } from '../findings/finding.ts';
import type { CommonError, ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/instant.ts';
import { percentOf } from './intervals.ts';
import { buildReport, checkLimit, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** Options of {@link commonErrors}. */
export interface CommonErrorsOptions extends WindowedOptions {
  /** Maximum number of rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
}

/** A row of `common-errors`. */
export interface CommonErrorRow {
  step: string;
  errorType?: string;
  /** The message, with the parts that vary between failures replaced by `…`. */
  pattern?: string;
  /** The message of the latest failure. */
  message?: string;
  count: number;
  lastSeen: string;
  conversationId: string;
}

/**
 * Failures in the window, grouped by step, `error.type` and message pattern, most frequent first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
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

/** Input of the finding rules of `common-errors`. */
export interface CommonErrorsFacts {
  rows: CommonErrorRow[];
}

/** A common cause is reported above this percentage of the listed errors. */
export const COMMON_CAUSE_ABOVE_PCT = 50;

/** The cause of most of the listed errors, and what to do about it. */
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

/** A cause of errors that can be recognised by error type or message, and what to do about it. */
export interface ErrorCause {
  /** Continues "failed due to". */
  phrase: string;
  /** Kind of problem, in parentheses after "all errors are in this step". */
  area: string;
  /** Whether the same call may succeed a moment later. */
  isRetryable: boolean;
  /** What to do about it. */
  remedy: string;
  /** What to monitor. */
  monitoring: string;
  /** Matches words in the error's type or message that indicate the cause. */
  words: RegExp;
  /** HTTP status codes (RFC 9110) that indicate the cause, as the type or after "HTTP" or "status" in the message. */
  statusCodes: readonly number[];
}

/** All causes, more specific ones first, because the first match counts. */
export const ERROR_CAUSES: readonly ErrorCause[] = [
  {
    phrase: 'exhausted API quota',
    area: 'API issues',
    isRetryable: false,
    remedy: 'Raise the API quota or spread the load',
    monitoring: 'Monitor API quotas more closely',
    words: /insufficient.?quota|quota.{0,20}exceeded|exceeded.{0,30}quota|billing/i,
    statusCodes: [402],
  },
  {
    phrase: 'API rate limit',
    area: 'API issues',
    isRetryable: true,
    remedy: 'Implement exponential backoff for rate limits',
    monitoring: 'Monitor API quotas more closely',
    words: /rate.?limit|too.?many.?requests|throttl/i,
    statusCodes: [429],
  },
  {
    phrase: 'a timeout',
    area: 'timeouts',
    isRetryable: true,
    remedy: 'Set time limits that fit and give up early',
    monitoring: 'Monitor the slowest calls more closely',
    words: /time.?out|timed.?out|deadline/i,
    statusCodes: [408, 504],
  },
  {
    phrase: 'rejected credentials',
    area: 'credentials',
    isRetryable: false,
    remedy: 'Check the credentials and their permissions',
    monitoring: 'Monitor when credentials expire',
    words: /unauthori[sz]ed|authentication|forbidden|(?:invalid|incorrect).{0,20}(?:key|token)|permission.?denied/i,
    statusCodes: [401, 403],
  },
  {
    phrase: 'a lost connection',
    area: 'network issues',
    isRetryable: true,
    remedy: 'Check the network path to the service',
    monitoring: 'Monitor the connection to the service',
    words: /ECONN|ENOTFOUND|EPIPE|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|socket|network|connect|fetch failed/i,
    statusCodes: [],
  },
  {
    phrase: 'an input that is too long',
    area: 'input length',
    isRetryable: false,
    remedy: 'Shorten the input before the call',
    monitoring: 'Monitor input lengths',
    words: /context.?(?:length|window)|too.?many.?tokens|too.?(?:long|large)/i,
    statusCodes: [413],
  },
  {
    phrase: 'an unavailable service',
    area: 'service issues',
    isRetryable: true,
    remedy: 'Switch to another provider or region while the service is unavailable',
    monitoring: "Monitor the provider's status",
    words: /unavailable|overload|internal.?server.?error|bad.?gateway/i,
    statusCodes: [500, 502, 503, 529],
  },
  {
    phrase: 'exhausted resources',
    area: 'resources',
    isRetryable: false,
    remedy: 'Give the program more memory, disk or file handles',
    monitoring: 'Monitor memory, disk and file handles',
    words: /out.?of.?memory|ENOMEM|ENOSPC|EMFILE/i,
    statusCodes: [507],
  },
  {
    phrase: 'the end of the program',
    area: 'crashes or restarts',
    isRetryable: false,
    remedy: 'Find out why the program ends while conversations are open',
    monitoring: 'Monitor restarts of the program',
    words: /^abandoned$/i,
    statusCodes: [],
  },
];

/** Type and message of an error. */
export interface ErrorWords {
  errorType?: string | undefined;
  message?: string | undefined;
}

/** The cause that an error's type or message indicates; undefined if unknown. */
export function findErrorCause({ errorType = '', message = '' }: ErrorWords): ErrorCause | undefined {
  return ERROR_CAUSES.find(
    ({ words, statusCodes }) =>
      words.test(errorType) ||
      words.test(message) ||
      statusCodes.some((code) => errorType === String(code) || isStatusIn(message, code)),
  );
}

// A number alone is not enough: "took 500 ms" is not a status.
function isStatusIn(message: string, code: number): boolean {
  return new RegExp(String.raw`\b(?:http|status|status code)[ :=]*${code}\b`, 'i').test(message);
}

/** Minimum failure rate, in per cent, at which a step is a problem. */
export const PROBLEM_FROM_PCT = 5;

/** Maximum number of steps, those with the most failures, for which advice is given. */
export const ADVISED_STEPS = 2;

/** Whether a step is a problem, judged by its failure rate after retries. */
export function isProblem({ finalErrorRatePct = 0 }: { finalErrorRatePct?: number }): boolean {
  return finalErrorRatePct >= PROBLEM_FROM_PCT;
}

/** The facts of `errors` that advice is based on. */
export interface AdviceFacts {
  rows: readonly { step: string; retried: number; finalFailures: number; finalErrorRatePct?: number }[];
  /** The most frequent first. */
  commonErrors: readonly { step: string; errorType?: string; message?: string }[];
}

/**
 * Suggests a retry if the same call may succeed a moment later, or an investigation if the cause is unknown. No finding
 * if a retry cannot help or the step is already retried.
 */
export const retryFailures = findingRule('retry-failures', (facts: AdviceFacts) =>
  findFailingSteps(facts).flatMap(({ step, finalFailures, isRetried, cause }) => {
    if (cause !== undefined && (isRetried || !cause.isRetryable)) return [];
    const name = stepDisplayName(step);
    const text =
      cause === undefined
        ? `Find out why ${name} fails (its messages are under common-errors)`
        : `Add retry logic for ${name} failures`;
    return { severity: 'advice' as const, text, evidence: { step, finalFailures, cause: cause?.phrase ?? 'unknown' } };
  }),
);

/** What to do about the cause of the failures, each remedy once. */
export const remedyCause = findingRule('remedy-cause', (facts: AdviceFacts) => {
  const causes = new Set(findFailingSteps(facts).flatMap(({ cause }) => cause ?? []));
  return [...causes].map(({ remedy, phrase }) => ({ severity: 'advice', text: remedy, evidence: { cause: phrase } }));
});

/** What the program should do for the user while a step fails, by kind of step. */
export const fallBack = findingRule('fall-back', (facts: AdviceFacts) =>
  findFailingSteps(facts).map(({ step, finalErrorRatePct }) => {
    const text = `${phrasesOf(step).fallback ?? 'Add a fallback for'} when ${stepDisplayName(step)} fails`;
    return { severity: 'advice', text, evidence: { step, finalErrorRatePct } };
  }),
);

/** What to monitor, so that the cause is noticed before users are affected; without duplicates. */
export const monitorCause = findingRule('monitor-cause', (facts: AdviceFacts) => {
  const causes = findFailingSteps(facts).flatMap(({ cause }) => cause ?? []);
  return [...new Set(causes.map((cause) => cause.monitoring))].map((text) => ({
    severity: 'advice',
    text,
    evidence: { causes: causes.filter((cause) => cause.monitoring === text).map((cause) => cause.phrase) },
  }));
});

/** A step that fails often, and the cause of its most frequent error, if known. */
interface FailingStep {
  step: string;
  finalFailures: number;
  finalErrorRatePct: number;
  isRetried: boolean;
  cause?: ErrorCause | undefined;
}

/** The steps that advice is about: those that are a problem, most failures first, up to {@link ADVISED_STEPS}. */
function findFailingSteps({ rows, commonErrors }: AdviceFacts): FailingStep[] {
  return rows
    .filter(isProblem)
    .toSorted((a, b) => b.finalFailures - a.finalFailures)
    .slice(0, ADVISED_STEPS)
    .map(({ step, finalFailures, finalErrorRatePct = 0, retried }) => {
      const commonError = commonErrors.find((error) => error.step === step);
      return {
        step,
        finalFailures,
        finalErrorRatePct,
        isRetried: retried > 0,
        cause: commonError && findErrorCause(commonError),
      };
    });
}
