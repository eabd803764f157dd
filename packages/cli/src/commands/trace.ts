import type { ConversationDetail, Report, StepRow } from '@convotel/query';
import { conversationCommand } from '../command-line/conversation-command.ts';
import { GRAPH_OPTION } from '../command-line/shared-options.ts';
import {
  findingsSection,
  lightRule,
  pageText,
  titleLines,
  bothUnitsText,
  millisecondsText,
  outcomeText,
} from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { waterfall, waterfallLegend } from '../text/graph.ts';

/** `trace`: everything about one conversation. */
export const command = conversationCommand({
  examples: [['convotel trace 20251008_143022_a1b2c3d4', 'every step in full']],
  options: GRAPH_OPTION,
  ask: async (source, asked) => {
    const { trace } = await import('@convotel/query');
    return trace(source, asked);
  },
  text: traceText,
});

/** Every step of one conversation in full detail. */
export function traceText(
  { data: detail, findings }: Report<'trace', ConversationDetail>,
  context: TextContext,
): string {
  const hasSeveralServices = new Set(detail.steps.map(({ service }) => service)).size > 1;
  return pageText(
    [
      ...titleLines(`Full Trace: ${detail.conversationId}`, 80, context),
      ...headLines(detail),
      ...(context.graph && detail.steps.length > 0 ? waterfallSection(detail, context) : []),
      ...detail.steps.flatMap((step) => ['', ...stepLines(step, hasSeveralServices, context)]),
      ...(detail.steps.length === 0 ? ['', 'No steps'] : []),
      ...findingsSection('ANALYSIS', findings, context),
    ],
    context,
  );
}

/** The details of the conversation besides its steps. */
function headLines({ sessionId, workflow, responseMs }: ConversationDetail): string[] {
  return [
    ...(sessionId === undefined ? [] : [`Session:       ${sessionId}`]),
    ...(workflow === undefined ? [] : [`Workflow:      ${workflow}`]),
    ...(responseMs === undefined ? [] : [`Response:      after ${bothUnitsText(responseMs)}`]),
  ];
}

function waterfallSection(detail: ConversationDetail, context: TextContext): string[] {
  const { heading, rows } = waterfall(detail, context);
  return ['', heading, lightRule(80, context), ...rows, ...waterfallLegend(detail, context)];
}

function stepLines(step: StepRow, hasSeveralServices: boolean, context: TextContext): string[] {
  return [
    `Step: ${step.step}${step.depth === 0 ? '' : ` (inside another step, depth ${step.depth})`}`,
    ...field('Attempt', step.attempt?.toString()),
    ...field('Service', hasSeveralServices ? step.service : undefined),
    ...field('Model', modelText(step)),
    ...field('Start', context.localTime(step.startTime, 6)),
    ...field('End', context.localTime(step.endTime, 6)),
    ...field('Duration', `${millisecondsText(step.durationMs)}ms`),
    ...field('Status', outcomeText(step.outcome)),
    ...field('First', step.timeToFirstOutputMs === undefined ? undefined : firstOutputText(step.timeToFirstOutputMs)),
    ...field('Timings', timingsText(step.timings)),
    ...field('Input', step.input ?? lengthText(step.inputChars)),
    ...field('Output', step.output ?? lengthText(step.outputChars)),
    ...field('Tokens', tokensText(step)),
    ...field('Audio', step.audioSeconds === undefined ? undefined : `${step.audioSeconds.toFixed(1)}s`),
    ...field('Error', step.errorMessage ?? step.errorType),
    ...Object.entries(step.attributes ?? {}).map(([name, value]) => `  ${name}: ${attributeText(value)}`),
  ];
}

function field(label: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`  ${`${label}:`.padEnd(9)} ${value}`];
}

/** Provider and model, such as `openai gpt-5`, as far as they are known. */
function modelText({ provider, model }: StepRow): string | undefined {
  const known = [provider, model].filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.join(' ');
}

function tokensText({ inputTokens, outputTokens }: StepRow): string | undefined {
  const known = [
    ...(inputTokens === undefined ? [] : [`${inputTokens} in`]),
    ...(outputTokens === undefined ? [] : [`${outputTokens} out`]),
  ];
  return known.length === 0 ? undefined : known.join(', ');
}

function attributeText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function firstOutputText(milliseconds: number): string {
  return `output after ${millisecondsText(milliseconds)}ms`;
}

function timingsText(timings: Record<string, number> = {}): string | undefined {
  const parts = Object.entries(timings).map(([part, milliseconds]) => `${part} ${millisecondsText(milliseconds)}ms`);
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** The length of a text that was not recorded. */
function lengthText(chars: number | undefined): string | undefined {
  return chars === undefined ? undefined : `${chars} characters (text not kept)`;
}
