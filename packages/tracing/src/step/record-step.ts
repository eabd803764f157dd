import { isOutcome } from '@convotel/conventions';
import type { TracedConversation } from '../conversation/traced-conversation.ts';
import type { SpanEnding } from '../safety/end-span.ts';
import { epochTimeOf } from '../safety/epoch-time.ts';
import { reportTrouble } from '../safety/report-trouble.ts';
import { outcomeOfError } from './outcome-of-error.ts';
import type { RecordedStep } from './step-options.ts';
import { StepSpan } from './step-span.ts';

/** Makes the span of a step that is already over. Without two valid times there is none, and diagnostics say so. */
export function recordStep(conversation: TracedConversation, name: string, recorded: RecordedStep): void {
  try {
    const startTime = epochTimeOf(recorded.startTime);
    const endTime = epochTimeOf(recorded.endTime);
    if (startTime === undefined || endTime === undefined) {
      reportTrouble(`the recorded step ${JSON.stringify(name)} has no valid startTime and endTime and is left out`);
      return;
    }
    const ending = endingOf(recorded.outcome, recorded.error);
    const step = new StepSpan(conversation, name, recorded, startTime);
    try {
      describe(step, recorded);
    } finally {
      step.end(ending, endTime);
    }
  } catch (error) {
    reportTrouble('recording a step', error);
  }
}

function describe(step: StepSpan, recorded: RecordedStep): void {
  const { output, usage, timings, timeToFirstOutputSeconds } = recorded;
  if (output !== undefined) step.output(output);
  if (usage !== undefined) step.usage(usage);
  for (const [part, seconds] of Object.entries(timings ?? {})) step.timing(part, { seconds });
  step.timeToFirstOutput(timeToFirstOutputSeconds);
}

/** The ending that the program told: `outcome` where it is one, else what `error` says, else `completed`. */
export function endingOf(outcome: unknown, error: unknown): SpanEnding {
  const ending: SpanEnding = error === undefined ? { outcome: 'completed' } : outcomeOfError(error);
  return isOutcome(outcome) ? { ...ending, outcome } : ending;
}
