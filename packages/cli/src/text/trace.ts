import type { ConversationDetail, Report, StepRow } from '@convotel/query';
import { outcomeText } from './conversation-head.ts';
import { millisecondsText } from './duration-text.ts';
import { findingsSection } from './findings-section.ts';
import { localTimeText } from './local-time.ts';
import { pageText, titleLines } from './page.ts';
import type { TextContext } from './text-context.ts';

/** Every step of one conversation with all that it says. */
export function traceText(report: Report<'trace', ConversationDetail>, context: TextContext): string {
  const { data: detail, window } = report;
  return pageText([
    ...titleLines(`Full Trace: ${detail.conversationId}`, 80),
    ...detail.steps.flatMap((step) => ['', ...stepLines(step, window.timeZone)]),
    ...(detail.steps.length === 0 ? ['', 'No steps'] : []),
    ...findingsSection('ANALYSIS', report.findings, context),
  ]);
}

function stepLines(step: StepRow, timeZone: string): string[] {
  return [
    `Step: ${step.step}${step.depth === 0 ? '' : ` (inside another step, depth ${step.depth})`}`,
    ...field('Attempt', step.attempt?.toString()),
    ...field('Start', localTimeText(step.startTime, timeZone, 6)),
    ...field('End', localTimeText(step.endTime, timeZone, 6)),
    ...field('Duration', `${millisecondsText(step.durationMs)}ms`),
    ...field('Status', outcomeText(step.outcome)),
    ...field('First', step.timeToFirstOutputMs === undefined ? undefined : firstOutputText(step.timeToFirstOutputMs)),
    ...field('Timings', timingsText(step.timings)),
    ...field('Input', step.input ?? lengthText(step.inputChars)),
    ...field('Output', step.output ?? lengthText(step.outputChars)),
    ...field('Error', step.errorMessage ?? step.errorType),
  ];
}

function field(label: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`  ${`${label}:`.padEnd(9)} ${value}`];
}

function firstOutputText(milliseconds: number): string {
  return `output after ${millisecondsText(milliseconds)}ms`;
}

function timingsText(timings: Record<string, number> = {}): string | undefined {
  const parts = Object.entries(timings).map(([part, milliseconds]) => `${part} ${millisecondsText(milliseconds)}ms`);
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** A text that is not kept shows its length. */
function lengthText(chars: number | undefined): string | undefined {
  return chars === undefined ? undefined : `${chars} characters (text not kept)`;
}
