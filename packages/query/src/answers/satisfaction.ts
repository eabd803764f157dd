import { THRESHOLD } from '@convotel/conventions';
import { counted, findAll, findingRule, percentWords, roughPercentWords, secondsWords } from '../findings/finding.ts';
import type { ConversationSource } from '../questions.ts';
import { percentOf, wilsonInterval } from './intervals.ts';
import type { PercentInterval } from './intervals.ts';
import { buildReport, checkNumber, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** Options of {@link satisfaction}. */
export interface SatisfactionOptions extends WindowedOptions {
  /** A shorter conversation counts as satisfied, in milliseconds. @defaultValue `7000` */
  targetMs?: number | undefined;
  /** Whether duration or response latency must be below the target. @defaultValue `'duration'` */
  by?: 'duration' | 'response' | undefined;
}

/** The data of `satisfaction`. */
export interface Satisfaction {
  /** Absent for the duration. */
  by?: 'response';
  targetMs: number;
  /** Number of conversations that start in the window and have ended; by response, without `withoutResponse`. */
  conversations: number;
  /** Number of those that completed and were below the target. */
  satisfied: number;
  /** Absent without conversations. */
  satisfiedPct?: number;
  /** 95 % interval of `satisfiedPct`; absent without conversations. */
  interval?: PercentInterval;
  /** Number of conversations that have not ended yet, which are not counted. */
  open: number;
  /** By response: number of completed conversations without a response latency, which are not counted. */
  withoutResponse?: number;
}

/**
 * The percentage of conversations that completed in less than the target (wall-clock time), of all that start in the
 * window and have ended with any outcome, with Wilson's 95 % confidence interval. By response, the response latency of
 * completed conversations must be below the target.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
 */
export async function satisfaction(
  source: ConversationSource,
  options: SatisfactionOptions,
): Promise<Report<'satisfaction', Satisfaction>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, targetMs = THRESHOLD.targetMs, by = 'duration' } = options;
  checkNumber('targetMs', targetMs, 0);

  const { data: durations, coverage } = await source.ask({ name: 'step-durations', window, filters, steps: false });
  const judgedMs = by === 'response' ? durations.responseMs : durations.durationMs;
  let [conversations, satisfied, open, withoutResponse] = [0, 0, 0, 0];
  durations.outcomes.forEach((outcome, row) => {
    if (durations.startsInWindow[row] !== 1) return;
    const isCompleted = outcome === 'completed';
    if (outcome === 'open') open += 1;
    // A failure without a latency is not satisfied; a completed conversation without one was not measured.
    else if (isCompleted && Number.isNaN(judgedMs[row])) withoutResponse += 1;
    else conversations += 1;
    if (isCompleted && judgedMs[row]! < targetMs) satisfied += 1;
  });
  const interval = wilsonInterval(satisfied, conversations);
  const data: Satisfaction = {
    ...(by === 'response' && { by }),
    targetMs,
    conversations,
    satisfied,
    ...(interval === undefined ? {} : { satisfiedPct: percentOf(satisfied, conversations), interval }),
    open,
    ...(by === 'response' && { withoutResponse }),
  };
  const findings = findAll(satisfactionRules, { data });
  return buildReport({ command: 'satisfaction', source, window, timeZone, coverage, data, findings });
}

/** Input of the finding rules of `satisfaction`. */
export interface SatisfactionFacts {
  data: Satisfaction;
}

/** Minimum percentage for a good result. */
export const SATISFYING_FROM_PCT = 90;

/** Below this percentage, the result is a problem. */
export const UNSATISFYING_BELOW_PCT = 75;

/** The criterion, the percentage, and its confidence interval. */
export const satisfiedShare = findingRule('satisfied-share', ({ data }: SatisfactionFacts) => {
  const { by, targetMs, conversations, satisfied, satisfiedPct, interval } = data;
  if (satisfiedPct === undefined || interval === undefined) return [];
  const [low, high] = interval;
  const text = `${satisfied} of ${counted(conversations, 'conversation')} ${by === 'response' ? 'completed and answered' : 'completed'} in less than ${secondsWords(targetMs)}s: ${percentWords(satisfiedPct)} (95% interval: ${roughPercentWords(low)} to ${roughPercentWords(high)})`;
  return [{ severity: 'info', text, evidence: { targetMs, conversations, satisfied, satisfiedPct, interval } }];
});

/** Whether the percentage is good or bad, if the whole interval is. */
export const satisfactionVerdict = findingRule('satisfaction-verdict', ({ data }: SatisfactionFacts) => {
  const { targetMs, interval } = data;
  if (interval === undefined) return [];
  const [low, high] = interval;
  const evidence = { targetMs, interval };
  if (low >= SATISFYING_FROM_PCT) {
    return [{ severity: 'good', text: `At least ${SATISFYING_FROM_PCT}% meet the target`, evidence }];
  }
  if (high < UNSATISFYING_BELOW_PCT) {
    return [{ severity: 'problem', text: `Fewer than ${UNSATISFYING_BELOW_PCT}% meet the target`, evidence }];
  }
  return [];
});

/** The findings of `satisfaction`, in the order in which they are printed. */
export const satisfactionRules = [satisfiedShare, satisfactionVerdict];
