import { counted, findAll, findingRule, percentWords, stepDisplayName } from '../findings/finding.ts';
import type { ConversationSource } from '../questions.ts';
import {
  commonErrorRow,
  fallBack,
  findErrorCause,
  isProblem,
  monitorCause,
  remedyCause,
  retryFailures,
} from './common-errors.ts';
import type { CommonErrorRow } from './common-errors.ts';
import { percentOf, wilsonInterval } from './intervals.ts';
import type { PercentInterval } from './intervals.ts';
import {
  buildReport,
  byGroup,
  checkWindowed,
  coverageOfSameSpans,
  findGroups,
  findInGroup,
  withWarnings,
} from './report.ts';
import type { GroupedOptions, Report } from './report.ts';

/** A row of `errors`. */
export interface StepErrorRow {
  /** With `by`. */
  group?: string;
  step: string;
  total: number;
  failures: number;
  errorRatePct: number;
  /** 95 % interval of `errorRatePct`. */
  interval?: PercentInterval;
  /** Number of spans that were retried, whether or not the retry succeeded. */
  retried: number;
  /** Number of failures that were not retried. */
  finalFailures: number;
  /** Failure rate without the spans that were retried; absent if all were. */
  finalErrorRatePct?: number;
}

/** Number of groups of errors that the findings use. */
const COMMON_ERRORS_READ = 10;

/**
 * Failure rate of each step (`failed` + `timed_out` + `abandoned`, of all its spans in the window), and the rate after
 * retries, which findings are based on. In step order. With `by` per group, largest first, with findings about steps
 * that fail too often in a group.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
 */
export async function errors(
  source: ConversationSource,
  options: GroupedOptions,
): Promise<Report<'errors', StepErrorRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, by } = options;

  const groups = await findGroups(source, { by, windows: [window], filters });
  const asked = { window, filters, timings: false, groupBy: groups?.groupBy };
  const { data: statistics, coverage: read } = await source.ask({ name: 'step-statistics', ...asked });
  const coverage = withWarnings(read, groups?.warnings);
  const rows = statistics.map(({ group, step, total, failures, retried, finalFailures }) => ({
    ...(group !== undefined && { group }),
    step,
    total,
    failures,
    errorRatePct: percentOf(failures, total),
    interval: wilsonInterval(failures, total)!,
    retried,
    finalFailures,
    ...(total > retried && { finalErrorRatePct: percentOf(finalFailures, total - retried) }),
  }));
  const report = { command: 'errors', by, source, window, timeZone, data: rows } as const;
  if (groups !== undefined) {
    const findings = [...byGroup(rows)].flatMap(([group, ofGroup]) =>
      findInGroup(group, [highErrorRate], { rows: ofGroup, commonErrors: [] }),
    );
    return buildReport({ ...report, coverage, findings });
  }
  const common = rows.some(({ failures }) => failures > 0)
    ? await source.ask({
        name: 'common-errors',
        window,
        filters,
        limit: COMMON_ERRORS_READ,
        conversationIds: false,
        coverage: false,
      })
    : undefined;
  const findings = findAll(errorsRules, { rows, commonErrors: common?.data.map(commonErrorRow) ?? [] });
  return buildReport({
    ...report,
    coverage: common === undefined ? coverage : coverageOfSameSpans(coverage, common.coverage),
    findings,
  });
}

/** Input of the finding rules of `errors`. */
export interface ErrorsFacts {
  /** In step order. */
  rows: StepErrorRow[];
  /** Most frequent first. */
  commonErrors: CommonErrorRow[];
}

/** Minimum failure rate, in per cent, that is unacceptable; also the default limit of `watch`. */
export const UNACCEPTABLE_FROM_PCT = 10;

/** Percentage of errors above which most are in one step. */
export const MOST_ABOVE_PCT = 50;

/** Each step that fails in at least 5 % of its calls, without failures that were retried. */
export const highErrorRate = findingRule('high-error-rate', ({ rows }: ErrorsFacts) =>
  rows.filter(isProblem).map(({ step, total, failures, retried, finalFailures, finalErrorRatePct = 0 }) => {
    const judgement = finalErrorRatePct >= UNACCEPTABLE_FROM_PCT ? ' - unacceptably high!' : '';
    const afterRetries = retried > 0 ? ' after retries' : '';
    const rate = `${percentWords(finalErrorRatePct)} error rate${afterRetries}`;
    const text = `${stepDisplayName(step, 'opening')} has ${rate}${judgement}`;
    const evidence = { step, total, failures, retried, finalFailures, finalErrorRatePct };
    return { severity: 'problem', text, evidence };
  }),
);

/** Whether all errors, or more than half of them, are in one step. No finding if there is only one step. */
export const errorsInOneStep = findingRule('errors-in-one-step', ({ rows, commonErrors }: ErrorsFacts) => {
  const failures = rows.reduce((sum, row) => sum + row.failures, 0);
  const worst = rows.toSorted((a, b) => b.failures - a.failures)[0];
  if (worst === undefined || failures === 0 || rows.length < 2) return [];
  const sharePct = percentOf(worst.failures, failures);
  if (sharePct <= MOST_ABOVE_PCT) return [];
  const areas = new Set(
    commonErrors.filter((error) => error.step === worst.step).map((error) => findErrorCause(error)?.area),
  );
  const [area] = areas;
  // No reason if there are several kinds of problems or an unknown one.
  const reason = areas.size === 1 && area !== undefined ? ` (${area})` : '';
  const where = `in ${stepDisplayName(worst.step)} step`;
  const text =
    worst.failures === failures
      ? `All errors are ${where}${reason}`
      : `Most errors are ${where} (${worst.failures} of ${failures})`;
  const evidence = { step: worst.step, failures: worst.failures, allFailures: failures };
  return [{ severity: 'info', text, evidence }];
});

/** The step directly before the first one with failures, if it has none itself. */
export const reliableStep = findingRule('reliable-step', ({ rows }: ErrorsFacts) => {
  const firstFailing = rows.findIndex((row) => row.failures > 0);
  const before = firstFailing > 0 ? rows[firstFailing - 1] : undefined;
  if (before === undefined) return [];
  const text = `${stepDisplayName(before.step, 'opening')} is 100% reliable`;
  return [{ severity: 'good', text, evidence: { step: before.step, total: before.total } }];
});

/** Maximum number of step names; further ones are only counted. */
const STEPS_NAMED = 5;

/** The steps without failures after the first one with failures. */
export const neverFailingSteps = findingRule('never-failing-steps', ({ rows }: ErrorsFacts) => {
  const firstFailing = rows.findIndex((row) => row.failures > 0);
  if (firstFailing === -1) return [];
  const steps = rows
    .slice(firstFailing + 1)
    .filter((row) => row.failures === 0)
    .map((row) => row.step);
  if (steps.length === 0) return [];
  const names =
    steps.length > STEPS_NAMED
      ? counted(steps.length, 'other step')
      : steps.map((step) => stepDisplayName(step, 'opening')).join('/');
  const text = `${names} never ${steps.length === 1 ? 'fails' : 'fail'}`;
  return [{ severity: 'good', text, evidence: { steps } }];
});

/** No call of any step failed. */
export const noFailures = findingRule('no-failures', ({ rows }: ErrorsFacts) => {
  const total = rows.reduce((sum, row) => sum + row.total, 0);
  if (total === 0 || rows.some((row) => row.failures > 0)) return [];
  return [{ severity: 'good', text: `No failure in ${counted(total, 'step call')}`, evidence: { total } }];
});

/** There were failures, but all were followed by a successful retry. */
export const recoveredByRetry = findingRule('recovered-by-retry', ({ rows }: ErrorsFacts) => {
  const failures = rows.reduce((sum, row) => sum + row.failures, 0);
  if (failures === 0 || rows.some((row) => row.finalFailures > 0)) return [];
  const text = `Retries made up for ${failures === 1 ? 'the only failure' : `all ${failures} failures`}`;
  return [{ severity: 'good', text, evidence: { failures } }];
});

/** The findings of `errors`, in the order in which they are printed. */
export const errorsRules = [
  highErrorRate,
  errorsInOneStep,
  reliableStep,
  neverFailingSteps,
  noFailures,
  recoveredByRetry,
  retryFailures,
  remedyCause,
  fallBack,
  monitorCause,
];
