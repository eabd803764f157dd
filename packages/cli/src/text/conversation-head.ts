import { WALL_DIFFERS_FROM_PCT } from '@convotel/conventions';
import type { ConversationDetail } from '@convotel/query';
import { bothUnitsText } from './duration-text.ts';
import { localTimeText } from './local-time.ts';

/** Start, end, durations and number of steps of one conversation; its outcome where that is not `completed`. */
export function conversationHeadLines(detail: ConversationDetail, timeZone: string): string[] {
  const wallDiffers = Math.abs(detail.wallMs - detail.totalMs) > (detail.totalMs * WALL_DIFFERS_FROM_PCT) / 100;
  return [
    `Start Time:    ${localTimeText(detail.startTime, timeZone, 6)}`,
    `End Time:      ${localTimeText(detail.endTime, timeZone, 6)}`,
    `Total Duration: ${bothUnitsText(detail.totalMs)}`,
    ...(wallDiffers ? [`Wall Clock:    ${bothUnitsText(detail.wallMs)}`] : []),
    `Steps:         ${detail.stepCount}`,
    ...(detail.outcome === 'completed' ? [] : [`Outcome:       ${outcomeText(detail.outcome)}`]),
  ];
}

/** `timed_out` as `timed out`. */
export function outcomeText(outcome: ConversationDetail['outcome']): string {
  return outcome.replace('_', ' ');
}
