import { STEP_SUM_DIFFERS_FROM_PCT } from '@convotel/conventions';
import type { ConversationDetail, StepRow } from '@convotel/query';
import type { TextContext } from './page.ts';
import { bothUnitsText, outcomeText } from './words.ts';

/** What {@link conversationHeadLines} shows; the last two only where they are known. */
interface ConversationHead extends Pick<ConversationDetail, 'startTime' | 'endTime' | 'durationMs' | 'outcome'> {
  stepSumMs?: number;
  stepCount?: number;
}

/** Start, end, durations and number of steps of one conversation; its outcome where that is not `completed`. */
export function conversationHeadLines(head: ConversationHead, context: TextContext): string[] {
  const { durationMs, stepSumMs = durationMs, stepCount } = head;
  const sumDiffers = Math.abs(stepSumMs - durationMs) > (durationMs * STEP_SUM_DIFFERS_FROM_PCT) / 100;
  return [
    `Start Time:    ${context.localTime(head.startTime, 6)}`,
    `End Time:      ${context.localTime(head.endTime, 6)}`,
    `Total Duration: ${bothUnitsText(durationMs)}`,
    ...(sumDiffers ? [`Sum of Steps:    ${bothUnitsText(stepSumMs)}`] : []),
    ...(stepCount === undefined ? [] : [`Steps:         ${stepCount}`]),
    ...(head.outcome === 'completed' ? [] : [`Outcome:       ${outcomeText(head.outcome)}`]),
  ];
}

/** Deeper steps are not indented further: a program that calls itself may nest thousands. */
const MAX_INDENTED_DEPTH = 16;

/** The step's name as a table of one conversation shows it: nested steps are indented, later attempts numbered. */
export function stepLabel({ depth, step, attempt }: StepRow): string {
  const deeper = depth > MAX_INDENTED_DEPTH ? ` (depth ${depth})` : '';
  const number = attempt === undefined ? '' : ` #${attempt}`;
  return '  '.repeat(Math.min(depth, MAX_INDENTED_DEPTH)) + step + number + deeper;
}
