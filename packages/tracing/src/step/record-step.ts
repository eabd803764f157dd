import { isOutcome } from '@convotel/conventions';
import { readOptions } from '../guards/untrusted-values.ts';
import type { SpanEnding } from '../guards/spans.ts';
import { epochMsFrom } from '../guards/times.ts';
import { reportInternalError, warnOnce } from '../guards/warnings.ts';
import type { StepHost } from './step-host.ts';
import type { RecordedStep } from './step-options.ts';
import { StepSpan } from './step-span.ts';
import type { RecordedTimes } from './step-span.ts';

/** A step may end this much before its start because the clock was corrected; beyond that it is a mistake. */
const MAX_CLOCK_CORRECTION_MS = 1000;

/** Creates the span of a step that is already over. If a time is missing or implausible it warns instead. */
export function recordStep(host: StepHost, name: string, given: RecordedStep): void {
  try {
    const recorded = readOptions(given);
    const times = timesOf(name, recorded);
    if (times === undefined) return;
    const step = new StepSpan(host, name, recorded, times);
    try {
      describe(step, recorded, times);
    } finally {
      const { outcome, error } = recorded;
      if (isOutcome(outcome)) step.endWith(endingWithOutcome(outcome, step, error));
      else if (error === undefined) step.endWith({ outcome: 'completed' });
      else step.threw(error);
    }
  } catch (error) {
    reportInternalError('recording a step', error);
  }
}

function timesOf(name: string, { startTime, endTime }: Partial<RecordedStep>): RecordedTimes | undefined {
  const what = (option: string): string => `recordStep(${JSON.stringify(name)}) was ignored: its ${option}`;
  const startedMs = epochMsFrom(startTime, what('startTime'));
  const endedMs = epochMsFrom(endTime, what('endTime'));
  if (startedMs === undefined || endedMs === undefined) return undefined;
  if (endedMs < startedMs - MAX_CLOCK_CORRECTION_MS) {
    warnOnce('time end before start', `${what('endTime')} is before its startTime`);
    return undefined;
  }
  return { startedMs, endedMs: Math.max(startedMs, endedMs) };
}

function describe(step: StepSpan, recorded: Partial<RecordedStep>, { startedMs, endedMs }: RecordedTimes): void {
  const { output, usage, timings, timeToFirstOutputSeconds } = recorded;
  if (output !== undefined) step.output(output);
  if (usage !== undefined) step.usage(usage);
  for (const [part, seconds] of Object.entries(timings ?? {})) step.timing(part, { seconds });
  const isInside = !((timeToFirstOutputSeconds ?? 0) * 1000 > endedMs - startedMs + MAX_CLOCK_CORRECTION_MS);
  if (isInside) step.timeToFirstOutput(timeToFirstOutputSeconds);
  else {
    warnOnce(
      'first output after end',
      `the timeToFirstOutputSeconds of recordStep(${JSON.stringify(step.name)}) is ignored: ${timeToFirstOutputSeconds} s ` +
        'is longer than the step. Pass seconds from its start, not milliseconds.',
    );
  }
}

/** The outcome that the program passed, with the type and message of `error`. */
function endingWithOutcome(outcome: SpanEnding['outcome'], step: StepSpan, error: unknown): SpanEnding {
  return error === undefined ? { outcome } : { ...step.endingOf(error), outcome };
}
