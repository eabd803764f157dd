import { isFailure, stepKindOf } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import { counted, findingRule, quotedMessage, stepDisplayName } from '../../findings/finding.ts';
import type { ConversationOutcome } from '../../model/conversation.ts';
import { findErrorCause } from '../common-errors.ts';
import { percentOf } from '../intervals.ts';
import type { ConversationDetail, StepRow } from './conversation-detail.ts';

/** Input of the finding rules that are shared by several answers about one conversation. */
export interface DetailFacts {
  detail: ConversationDetail;
}

/** Minimum percentage of the conversation's duration for a bottleneck. */
export const BOTTLENECK_FROM_PCT = 40;

/** Minimum percentage of the conversation's duration at which time outside of steps is reported. */
export const UNATTRIBUTED_FROM_PCT = 10;

/**
 * The step, with all its attempts, that takes most of the conversation, if that is at least 40 %; then a second one
 * that takes as much of the time in which the first was not running. No finding if all steps have the same name.
 */
export const bottleneckStep = findingRule('bottleneck-step', ({ detail }: DetailFacts) => {
  const calls = outermostStepsByName(detail);
  if (calls.size < 2) return [];
  const runningByName = new Map([...calls].map(([step, rows]) => [step, stretchesOf(rows)]));
  const shares = [...calls].map(([step, rows]) => {
    const durationMs = rows.length === 1 ? rows[0]!.durationMs : lengthMs(runningByName.get(step)!);
    return { step, calls: rows.length, durationMs, sharePct: percentOf(durationMs, detail.durationMs) };
  });
  const bottlenecks: typeof shares = [];
  let named: Stretch[] = [];
  for (const share of shares.toSorted((a, b) => b.durationMs - a.durationMs)) {
    // A step that takes less in total cannot add more. Of steps that run at the same time, one is enough.
    if (share.sharePct < BOTTLENECK_FROM_PCT) break;
    const running = runningByName.get(share.step)!;
    const addedMs = share.durationMs - overlapMs(running, named);
    if (percentOf(addedMs, detail.durationMs) < BOTTLENECK_FROM_PCT) continue;
    bottlenecks.push(share);
    named = merged([...named, ...running]);
  }
  return bottlenecks.map((share, place) => {
    const times = share.calls > 1 ? `${counted(share.calls, 'call')}, ` : '';
    const figures = `(${times}${(share.durationMs / 1000).toFixed(2)}s = ${share.sharePct.toFixed(0)}% of total)`;
    const claim = place === 0 ? 'is the bottleneck' : 'takes most of the rest';
    const text = `${stepDisplayName(share.step, 'opening')} step ${claim} ${figures}`;
    return { severity: 'warning', text, evidence: share };
  });
});

/** Minimum duration at which a conversation with any repeated step is considered a whole session. */
const WHOLE_SESSION_FROM_MS = 60_000;

/**
 * How often the first repeated step occurred, if a whole session seems to be recorded as one conversation: a step for
 * user input occurs several times, or any step does and the conversation takes more than a minute. Retries do not
 * count. Otherwise undefined.
 */
export function exchangesInOne(detail: ConversationDetail): { step: string; times: number } | undefined {
  const calls = [...outermostStepsByName(detail)].map(([step, rows]) => ({
    step,
    times: rows.filter(({ attempt }) => attempt === undefined).length,
  }));
  const [first] = calls;
  const kind = stepKindOf(first?.step ?? '');
  if (first !== undefined && first.times > 1 && (kind === 'capture' || kind === 'speech_to_text')) return first;
  return detail.durationMs > WHOLE_SESSION_FROM_MS ? calls.find(({ times }) => times > 1) : undefined;
}

/** A whole phone call or chat was recorded as one conversation, so its numbers are not those of one answer. */
export const wholeSession = findingRule('whole-session', ({ detail }: DetailFacts) => {
  const repeated = exchangesInOne(detail);
  if (repeated === undefined) return [];
  const { step, times } = repeated;
  const seen = `${stepDisplayName(step, 'opening')} ran ${times} times`;
  const text = `${seen}: this looks like a whole session recorded as one conversation. Start a conversation for each exchange, with one sessionId for all`;
  return [{ severity: 'warning', text, evidence: { step, times, durationMs: detail.durationMs } }];
});

/** Time in which no step was running. */
export const unattributedTime = findingRule('unattributed-time', ({ detail }: DetailFacts) => {
  const { unattributedMs, durationMs } = detail;
  const sharePct = percentOf(unattributedMs, durationMs);
  if (detail.steps.length === 0 || sharePct < UNATTRIBUTED_FROM_PCT) return [];
  const text = `${(unattributedMs / 1000).toFixed(2)} seconds (${sharePct.toFixed(0)}% of the wall clock) passed outside any step`;
  return [{ severity: 'warning', text, evidence: { unattributedMs, durationMs, sharePct } }];
});

/** Every step completed, although the conversation may not have. */
export const allStepsCompleted = findingRule('all-steps-completed', ({ detail }: DetailFacts) => {
  const { steps, outcome } = detail;
  if (steps.length === 0 || steps.some((step) => step.outcome !== 'completed')) return [];
  const severity = outcome === 'completed' ? 'good' : 'info';
  return [{ severity, text: ALL_COMPLETED_WORDS[outcome], evidence: { steps: steps.length, outcome } }];
});

const ALL_COMPLETED_WORDS: Readonly<Record<ConversationOutcome, string>> = {
  completed: 'All steps completed successfully',
  open: 'All steps so far completed successfully',
  failed: 'All steps that ran completed, yet the conversation failed',
  timed_out: 'All steps that ran completed, yet the conversation timed out',
  abandoned: 'All steps that ran completed, yet the conversation was abandoned',
  interrupted: 'All steps that ran completed, yet the conversation was interrupted',
};

/**
 * Each outermost step whose last attempt did not complete, with the cause; and each that completed only after failed
 * attempts.
 */
export const unsuccessfulStep = findingRule('unsuccessful-step', ({ detail }: DetailFacts) => {
  const failuresByName = new Map(
    [...outermostStepsByName(detail)].map(([name, rows]) => [
      name,
      rows.filter(({ outcome }) => isFailure(outcome)).length,
    ]),
  );
  // Most steps completed at once, and there is nothing to say about them.
  const noteworthy = lastAttempts(detail).filter((step) => step.outcome !== 'completed' || step.attempt !== undefined);
  return noteworthy.map((step) => {
    const failures = failuresByName.get(step.step) ?? 0;
    const evidence = { step: step.step, outcome: step.outcome, failures, ...errorEvidence(step) };
    const name = `${stepDisplayName(step.step, 'opening')} step`;
    if (step.outcome === 'completed') {
      return { severity: 'info' as const, text: `${name} completed on attempt ${step.attempt}`, evidence };
    }
    const wentOn = detail.outcome === 'completed' ? ' (the conversation went on)' : '';
    const text = `${name} ${UNSUCCESSFUL_WORDS[step.outcome]}${causeWords(step)}${wentOn}`;
    return { severity: isFailure(step.outcome) ? ('problem' as const) : ('info' as const), text, evidence };
  });
});

const UNSUCCESSFUL_WORDS: Readonly<Record<Exclude<Outcome, 'completed'>, string>> = {
  failed: 'failed',
  timed_out: 'timed out',
  abandoned: 'was abandoned',
  interrupted: 'was interrupted',
};

function causeWords({ outcome, errorType, errorMessage: message }: StepRow): string {
  // These two outcomes already say what happened.
  if (outcome === 'abandoned') return ' (the program went away)';
  if (outcome === 'interrupted') return '';
  const cause = findErrorCause({ errorType, message });
  if (cause !== undefined && !(outcome === 'timed_out' && cause.area === 'timeouts')) return ` due to ${cause.phrase}`;
  if (outcome === 'timed_out') return '';
  const words = message === undefined || message === '' ? errorType : quotedMessage(message);
  return words === undefined ? '' : `: ${words}`;
}

function errorEvidence({ errorType, errorMessage }: StepRow): Record<string, string> {
  return { ...(errorType === undefined ? {} : { errorType }), ...(errorMessage === undefined ? {} : { errorMessage }) };
}

/** A time interval, in Unix microseconds. */
interface Stretch {
  start: number;
  end: number;
}

/** The sorted, disjoint intervals in which at least one of `rows`, which are ordered by start, was running. */
function stretchesOf(rows: readonly StepRow[]): Stretch[] {
  const apart: Stretch[] = [];
  for (const row of rows) addStretch(apart, microsecondsOf(row.startTime), microsecondsOf(row.endTime));
  return apart;
}

function merged(stretches: Stretch[]): Stretch[] {
  const apart: Stretch[] = [];
  for (const { start, end } of stretches.sort((a, b) => a.start - b.start)) addStretch(apart, start, end);
  return apart;
}

/** Adds an interval that starts no earlier than the last one of `apart`. */
function addStretch(apart: Stretch[], start: number, end: number): void {
  const last = apart.at(-1);
  if (last === undefined || start > last.end) apart.push({ start, end });
  else if (end > last.end) last.end = end;
}

function lengthMs(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { start, end }) => sum + (end - start), 0) / 1000;
}

/** Total length of `stretches` within `others`; both must be sorted and disjoint. */
function overlapMs(stretches: readonly Stretch[], others: readonly Stretch[]): number {
  let overlap = 0;
  for (const { start, end } of stretches) {
    // Binary search for the first of the others that ends after `start`, because there may be thousands of each.
    let [place, after] = [0, others.length];
    while (place < after) {
      const middle = (place + after) >> 1;
      if (others[middle]!.end <= start) place = middle + 1;
      else after = middle;
    }
    for (; place < others.length && others[place]!.start < end; place++) {
      overlap += Math.min(end, others[place]!.end) - Math.max(start, others[place]!.start);
    }
  }
  return overlap / 1000;
}

/** Unix microseconds of a time with 6 decimals, as in answers. */
function microsecondsOf(time: string): number {
  if (!time.startsWith(lastSecond.text)) {
    const text = time.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
    lastSecond = { text, microseconds: Date.parse(`${text}Z`) * 1000 };
  }
  return lastSecond.microseconds + Number(time.slice(-7, -1));
}

/** Cached, because consecutive steps usually share it and parsing a date is slow. */
let lastSecond = { text: 'none', microseconds: 0 };

/** The outermost steps, by start. */
export function outermostSteps(detail: ConversationDetail): StepRow[] {
  return detail.steps.filter((step) => step.depth === 0);
}

/** The outermost steps by name, in order of first occurrence. */
function outermostStepsByName(detail: ConversationDetail): Map<string, StepRow[]> {
  const rowsByName = new Map<string, StepRow[]>();
  for (const step of outermostSteps(detail)) {
    const rows = rowsByName.get(step.step);
    if (rows === undefined) rowsByName.set(step.step, [step]);
    else rows.push(step);
  }
  return rowsByName;
}

/** The last attempt of each outermost step, by start: no later span of that step has a higher attempt. */
function lastAttempts(detail: ConversationDetail): StepRow[] {
  const highestLaterAttempt = new Map<string, number>();
  const last: StepRow[] = [];
  for (const row of outermostSteps(detail).toReversed()) {
    const { step, attempt = 1 } = row;
    const later = highestLaterAttempt.get(step) ?? 0;
    if (attempt >= later) last.push(row);
    highestLaterAttempt.set(step, Math.max(attempt, later));
  }
  return last.reverse();
}
