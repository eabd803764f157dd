import { THRESHOLD } from '@convotel/conventions';
import { counted, findAll, findingRule, percentWords, roughPercentWords, secondsWords } from '../findings/finding.ts';
import type { ConversationSource } from '../questions.ts';
import { percentOf, wilsonInterval } from './intervals.ts';
import type { PercentInterval } from './intervals.ts';
import { buildReport, checkNumber, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** What {@link satisfaction} is asked with. */
export interface SatisfactionOptions extends WindowedOptions {
  /** A conversation that takes less than this satisfies, in milliseconds. @defaultValue `7000` */
  targetMs?: number | undefined;
  /** What has to be below the target: the whole conversation, or its response latency. @defaultValue `'duration'` */
  by?: 'duration' | 'response' | undefined;
}

/** The data of `satisfaction`. */
export interface Satisfaction {
  /** Absent where the duration was judged. */
  by?: 'response';
  targetMs: number;
  /** Conversations that start in the window and have ended; by response, without those in `withoutResponse`. */
  conversations: number;
  /** Those that completed and took, or answered in, less than the target. */
  satisfied: number;
  /** Absent without conversations. */
  satisfiedPct?: number;
  /** 95 % interval of `satisfiedPct`; absent without conversations. */
  interval?: PercentInterval;
  /** Conversations that have not ended yet, which count neither way. */
  open: number;
  /** Conversations that completed and have no response latency, which count neither way; only by response. */
  withoutResponse?: number;
}

/**
 * The share of conversations that completed in less than the target, by the clock, of all that start in the window and
 * have ended, however they ended; with Wilson's 95 % interval. By response, those that completed and answered in less
 * than the target.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function satisfaction(
  source: ConversationSource,
  options: SatisfactionOptions,
): Promise<Report<'satisfaction', Satisfaction>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, targetMs = THRESHOLD.targetMs, by = 'duration' } = options;
  checkNumber('targetMs', targetMs, 0);

  const { data: durations, coverage } = await source.ask({ name: 'step-durations', window, filters });
  const judgedMs = by === 'response' ? durations.responseMs : durations.durationMs;
  let [conversations, satisfied, open, withoutResponse] = [0, 0, 0, 0];
  durations.outcomes.forEach((outcome, row) => {
    if (durations.startsInWindow[row] !== 1) return;
    const isCompleted = outcome === 'completed';
    if (outcome === 'open') open += 1;
    // A failure without an answer satisfied nobody; a success without one was not measured.
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

/** What the rules of `satisfaction` look at. */
export interface SatisfactionFacts {
  data: Satisfaction;
}

/** From this share on conversations are satisfying, in per cent. */
export const SATISFYING_FROM_PCT = 90;

/** Below this share it is a problem, in per cent. */
export const UNSATISFYING_BELOW_PCT = 75;

/** The rule behind the number, the number, and how sure it is. */
export const satisfiedShare = findingRule('satisfied-share', ({ data }: SatisfactionFacts) => {
  const { by, targetMs, conversations, satisfied, satisfiedPct, interval } = data;
  if (satisfiedPct === undefined || interval === undefined) return [];
  const [low, high] = interval;
  const text = `${satisfied} of ${counted(conversations, 'conversation')} ${by === 'response' ? 'completed and answered' : 'completed'} in less than ${secondsWords(targetMs)}s: ${percentWords(satisfiedPct)} (95% interval: ${roughPercentWords(low)} to ${roughPercentWords(high)})`;
  return [{ severity: 'info', text, evidence: { targetMs, conversations, satisfied, satisfiedPct, interval } }];
});

/** Whether that share is good or bad, where the whole interval says so. */
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
