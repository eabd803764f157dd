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
 * The fields of answers that the page shows, under the page's own names. If a field of an answer is renamed, only this
 * file changes.
 */
export interface ShownConversation {
  id: string;
  traceId: string;
  startUnixMs: number;
  /** Wall-clock duration. */
  durationMs: number;
  /** Sum of its outermost steps. */
  stepSumMs: number;
  /** From the end of the user's input to the first output; absent if unknown. */
  responseMs?: number | undefined;
  outcome: ConversationOutcome;
  stepCount: number;
  sessionId?: string | undefined;
  workflow?: string | undefined;
  /** The step at which the conversation failed, if it did. */
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

/** A step with its position on the time axis of its conversation. */
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

/** The error rate that a step is judged by: without failures that were retried, if known. */
export function errorRatePct(row: StepErrorRow): number {
  return row.finalErrorRatePct ?? row.errorRatePct;
}

/** The number of failures that {@link errorRatePct} counts: those that were not followed by a successful retry. */
export function failuresOf(row: StepErrorRow): number {
  return row.finalFailures;
}

/** Name of the row that is about whole conversations instead of a step. */
export const RESPONSE_ROW = 'response latency';

export function warningTexts(warnings: Coverage['warnings']): string[] {
  return warnings.map(({ text }) => text);
}

/**
 * The step with the longest total waiting time, which is average × count, so that a slow but rare step does not win.
 * Undefined if no step has completed.
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

/** Whether the user waits while the step runs: not while speaking, nor while hearing the answer. */
export function isWaitedFor(step: string): boolean {
  const kind = stepKindOf(step);
  return kind !== 'capture' && kind !== 'playback';
}
