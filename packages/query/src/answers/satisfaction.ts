import { THRESHOLD } from '@convotel/conventions';
import { findAll, findingRule } from '../findings/finding.ts';
import { counted, percentWords, roughPercentWords, secondsWords } from '../findings/words.ts';
import type { ConversationSource } from '../questions.ts';
import { wilsonInterval } from './intervals.ts';
import type { PercentInterval } from './intervals.ts';
import { percentOf } from './numbers.ts';
import { checkNumber, checkWindowed } from './options.ts';
import type { WindowedOptions } from './options.ts';
import { buildReport } from './report.ts';
import type { Report } from './report.ts';
import { readStepDurations } from './step-durations.ts';

/** What {@link satisfaction} is asked with. */
export interface SatisfactionOptions extends WindowedOptions {
  /** A conversation that completes in less than this satisfies, in milliseconds. @defaultValue `7000` */
  targetMs?: number | undefined;
}

/** The data of `satisfaction`. */
export interface Satisfaction {
  targetMs: number;
  /** Conversations that start in the window and have ended. */
  conversations: number;
  /** Those that completed, by the clock, in less than the target. */
  satisfied: number;
  /** Absent without conversations. */
  satisfiedPct?: number;
  /** 95 % interval of `satisfiedPct`; absent without conversations. */
  interval?: PercentInterval;
  /** Conversations that have not ended yet, which count neither way. */
  open: number;
}

/**
 * The share of conversations that completed in less than the target, by the clock, of all that start in the window and
 * have ended, however they ended; with Wilson's 95 % interval.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function satisfaction(
  source: ConversationSource,
  options: SatisfactionOptions,
): Promise<Report<'satisfaction', Satisfaction>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, targetMs = THRESHOLD.targetMs } = options;
  checkNumber('targetMs', targetMs, 0);

  const { data: durations, coverage } = await readStepDurations(source, window, filters);
  let [conversations, satisfied, open] = [0, 0, 0];
  durations.outcomes.forEach((outcome, row) => {
    if (durations.startsInWindow[row] !== 1) return;
    if (outcome === 'open') open += 1;
    else conversations += 1;
    if (outcome === 'completed' && durations.durationMs[row]! < targetMs) satisfied += 1;
  });
  const interval = wilsonInterval(satisfied, conversations);
  const data: Satisfaction = {
    targetMs,
    conversations,
    satisfied,
    ...(interval === undefined ? {} : { satisfiedPct: percentOf(satisfied, conversations), interval }),
    open,
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
  const { targetMs, conversations, satisfied, satisfiedPct, interval } = data;
  if (satisfiedPct === undefined || interval === undefined) return [];
  const [low, high] = interval;
  const text = `${satisfied} of ${counted(conversations, 'conversation')} completed in less than ${secondsWords(targetMs)}s: ${percentWords(satisfiedPct)} (95% interval: ${roughPercentWords(low)} to ${roughPercentWords(high)})`;
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
