import { stepKindOf } from '@convotel/conventions';
import type {
  ConversationDetail,
  Coverage,
  ConversationOutcome,
  ConversationRow,
  StepAverageRow,
  StepErrorRow,
  StepRow,
} from '@convotel/query/answers';

/**
 * The fields of answers that the page shows, under its own names. If an answer renames or gains a field, only this file
 * changes.
 */
export interface ShownConversation {
  id: string;
  traceId: string;
  startUnixMs: number;
  /** By the clock. */
  durationMs: number;
  /** Sum of its outermost steps. */
  stepSumMs: number;
  /** From the end of the user's input to the first output; absent when unknown. */
  responseMs?: number | undefined;
  outcome: ConversationOutcome;
  stepCount: number;
  sessionId?: string | undefined;
  workflow?: string | undefined;
  /** The step that a failed conversation failed at. */
  failedStep?: string | undefined;
}

export function shownConversation(row: ConversationRow): ShownConversation {
  return {
    id: row.conversationId,
    traceId: row.traceId,
    startUnixMs: Date.parse(row.startTime),
    durationMs: row.durationMs,
    stepSumMs: row.stepSumMs,
    responseMs: row.responseMs,
    outcome: row.outcome,
    stepCount: row.stepCount,
    sessionId: row.sessionId,
    workflow: row.workflow,
    failedStep: row.failedStep,
  };
}

/** One conversation with its steps, from `timeline`. */
export interface ShownDetail extends ShownConversation {
  unattributedMs: number;
  steps: ShownStep[];
}

/** A step on the axis of its conversation. */
export interface ShownStep extends StepRow {
  offsetMs: number;
}

export function shownDetail(detail: ConversationDetail): ShownDetail {
  return {
    ...shownConversation(detail),
    unattributedMs: detail.unattributedMs,
    steps: detail.steps.map((step) => ({ ...step, offsetMs: step.offsetMs ?? 0 })),
  };
}

/** Share of a step's calls that failed, as it is judged. */
export function errorRatePct(row: StepErrorRow): number {
  return row.finalErrorRatePct ?? row.errorRatePct;
}

/** The failures that {@link errorRatePct} counts: those that were not followed by a successful retry. */
export function failuresOf(row: StepErrorRow): number {
  return row.finalFailures;
}

/** The row of an answer that is about whole conversations instead of a step. */
export const RESPONSE_ROW = 'response latency';

/** The warnings of a coverage as sentences. */
export function warningTexts(warnings: Coverage['warnings']): string[] {
  return warnings.map(({ text }) => text);
}

/**
 * The step with the longest total waiting time: average times calls, so that a rare step does not count for more than
 * it took. Undefined when nothing has completed.
 */
export function longestWait<Row extends Pick<StepAverageRow, 'step' | 'averageMs' | 'count'>>(
  rows: readonly Row[],
): Row | undefined {
  const inAllMs = ({ averageMs = 0, count }: Row): number => averageMs * count;
  const byLength = rows
    .filter(({ step, count }) => step !== RESPONSE_ROW && count > 0)
    .toSorted((a, b) => inAllMs(b) - inAllMs(a));
  return byLength.find(({ step }) => isWaitedFor(step)) ?? byLength[0];
}

/** Whether a person waits while the step runs: not while they speak themselves, nor while they hear the answer. */
export function isWaitedFor(step: string): boolean {
  const kind = stepKindOf(step);
  return kind !== 'capture' && kind !== 'playback';
}
